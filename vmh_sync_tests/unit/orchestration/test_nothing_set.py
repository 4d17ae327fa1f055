"""`dagster dev` of a new clone: the sensors run at once, and nothing is set yet."""

import dagster as dg
import pytest

from vmh_sync.definitions import build_defs


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    home = tmp_path_factory.mktemp("new")
    monkeypatch.chdir(home)
    monkeypatch.setenv("VMH_HOME", str(home))
    for variable in ("ADVOWARE_KANZLEI", "ADVOWARE_DATABASE", "ESPOCRM_API_BASE_URL"):
        monkeypatch.delenv(variable, raising=False)


SENSORS = ("beteiligte_dirty", "adressen_dirty", "bankverbindungen_dirty", "kalender_mitarbeiter")


@pytest.mark.parametrize("name", SENSORS)
def test_a_sensor_says_which_setting_is_missing_instead_of_failing(name: str) -> None:
    definitions = build_defs()
    with dg.DagsterInstance.ephemeral() as instance, dg.build_sensor_context(instance=instance) as context:
        tick = definitions.get_sensor_def(name).evaluate_tick(context)
    assert "ADVOWARE_KANZLEI" in (tick.skip_message or "")
    assert not tick.run_requests
