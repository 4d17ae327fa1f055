"""What an error of the operating system means to the person at the machine: cause and remedy, in German."""

import errno
from pathlib import Path

_RIGHTS = "Besitzer und Rechte prüfen, oder einen anderen Ordner angeben."
_FULL = "Platz schaffen, dann noch einmal aufrufen."
_NOT_ALLOWED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT})
_OTHER = {
    errno.ENOENT: "{file} gibt es nicht. Den Pfad prüfen.",
    errno.EEXIST: "{file} ist eine Datei, gebraucht wird ein Ordner. Einen anderen Ordner angeben.",
    errno.ENOTDIR: "{file} liegt unter einer Datei, gebraucht wird ein Ordner. Einen anderen Ordner angeben.",
    errno.EISDIR: "{file} ist ein Ordner, gebraucht wird eine Datei. Eine Datei angeben.",
    errno.ENAMETOOLONG: "Der Pfad {file} ist zu lang. Einen kürzeren angeben.",
}
_WITHOUT_FILE = {
    errno.EMFILE: "Dieser Prozess hat zu viele Dateien offen. Die Grenze erhöhen (ulimit -n).",
    errno.ENFILE: "Auf diesem Rechner sind zu viele Dateien offen. Andere Programme beenden.",
    errno.ENOMEM: "Der Speicher dieses Rechners reicht nicht. Andere Programme beenden.",
    errno.EADDRINUSE: "Der Port ist belegt. Das andere Programm beenden, oder einen anderen Port einstellen.",
    errno.ECONNREFUSED: "Ein Dienst nimmt keine Verbindung an. `vmh-sync doctor` sagt, welcher.",
}


def explained(error: OSError) -> str:
    """Return what is wrong and what to do; the file or folder is named when the error knows it."""
    file = str(error.filename) if error.filename is not None else ""
    if error.errno in _NOT_ALLOWED:
        return _not_allowed(file)
    if error.errno in _NO_SPACE:
        return f"Der Datenträger ist voll{f' ({file})' if file else ''}. {_FULL}"
    if file and error.errno in _OTHER:
        return _OTHER[error.errno].format(file=file)
    if error.errno in _WITHOUT_FILE:
        return _WITHOUT_FILE[error.errno]
    what = type(error).__name__ if error.errno is None else errno.errorcode.get(error.errno, str(error.errno))
    where = f" auf {file}" if file else ""
    return f"Der Zugriff{where} ist gescheitert ({what}). `vmh-sync doctor` sagt vielleicht, warum."


def _not_allowed(file: str) -> str:
    if not file:
        return f"Dieser Benutzer darf nicht auf eine Datei zugreifen. {_RIGHTS}"
    if Path(file).is_dir():
        return f"Auf den Ordner {file} darf dieser Benutzer nicht zugreifen. {_RIGHTS}"
    try:
        exists = Path(file).exists()
    except OSError:
        exists = True  # the folder above may not even be looked into
    if exists:
        return f"Die Datei {file} darf dieser Benutzer nicht lesen oder schreiben. {_RIGHTS}"
    return f"In den Ordner {Path(file).absolute().parent} kann nicht geschrieben werden. {_RIGHTS}"
