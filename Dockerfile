# syntax=docker/dockerfile:1
# One image for the webserver, the daemon, the gateway and the run workers; the command decides which it is
# (docker-compose.yaml, deploy/README.md). A second, small target is pgbouncer with our configuration.

FROM python:3.11-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
RUN python -m venv /opt/vmh
ENV PATH=/opt/vmh/bin:$PATH
WORKDIR /src
# The lock first: code changes then reuse this layer. --no-deps, because the lock is complete.
COPY requirements.lock ./
RUN pip install --no-deps --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY vmh_sync ./vmh_sync
RUN pip install --no-deps --no-build-isolation . \
    && python -m compileall -q /opt/vmh/lib

FROM python:3.11-slim-bookworm AS runtime
LABEL org.opencontainers.image.title="vmh_sync" org.opencontainers.image.licenses="MIT"
RUN groupadd --gid 10001 vmh \
    && useradd --uid 10001 --gid vmh --home-dir /var/lib/vmh --no-create-home --shell /usr/sbin/nologin vmh \
    && install -d -o vmh -g vmh -m 0750 /var/lib/vmh /var/lib/vmh/dagster
COPY --from=build /opt/vmh /opt/vmh
WORKDIR /opt/vmh/house
COPY workspace.yaml dagster.yaml LICENSE ./
COPY deploy/dagster.celery.yaml deploy/celery.yaml deploy/workspace.yaml ./deploy/
COPY --chown=vmh:vmh dagster.yaml /var/lib/vmh/dagster/dagster.yaml
ENV PATH=/opt/vmh/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    VMH_HOME=/var/lib/vmh \
    DAGSTER_HOME=/var/lib/vmh/dagster
# By number: Kubernetes can only tell of a number that it is not root.
USER 10001:10001
EXPOSE 3000 8800
# Signals reach the process itself, there is no shell in between.
ENTRYPOINT []
CMD ["vmh-sync", "--help"]

# For deploy/kubernetes: with Dagster's launcher for it, which nothing else needs.
FROM runtime AS kubernetes
USER root
COPY deploy/kubernetes/requirements.lock /tmp/requirements.lock
RUN pip install --no-cache-dir --no-deps --require-hashes -r /tmp/requirements.lock && rm /tmp/requirements.lock
USER 10001:10001

FROM debian:bookworm-slim AS pgbouncer
RUN apt-get update \
    && apt-get install -y --no-install-recommends pgbouncer \
    && rm -rf /var/lib/apt/lists/* \
    && install -d -o postgres -g postgres -m 0700 /etc/pgbouncer/users
COPY deploy/pgbouncer.ini /etc/pgbouncer/pgbouncer.ini
COPY deploy/pgbouncer.sh /usr/local/bin/pgbouncer.sh
RUN chmod 0755 /usr/local/bin/pgbouncer.sh && chmod 0644 /etc/pgbouncer/pgbouncer.ini
USER postgres
EXPOSE 6432
CMD ["/usr/local/bin/pgbouncer.sh"]

# What `docker build .` makes when no target is named.
FROM runtime
