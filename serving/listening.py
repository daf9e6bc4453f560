"""Where the server listens, and whom it lets in: checked before anything is loaded."""

import errno
import ipaddress
import os
import re
import socket

from schemas.errors import UserError

TOKEN = "GREENLIGHT_TOKEN"
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
_ORIGIN = re.compile(r"https?://[^/\s?#]+", re.IGNORECASE)
_HOST = re.compile(r"(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\]")
_ROOT = re.compile(r"(/[A-Za-z0-9._~-]+)+")


def bind(host: str, port: int) -> list[socket.socket]:
    """Takes a port at every address of a host; nothing listens there yet.

    Raises:
      UserError: the port is in use, or there is no such address here.
    """
    try:
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise UserError(f"There is no address {host}: {error.strerror}.") from error
    bound, faults = list[socket.socket](), list[OSError]()
    for family, kind, protocol, _, address in dict.fromkeys(addresses):
        opened = socket.socket(family, kind, protocol)
        try:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            opened.bind(address)
            bound.append(opened)
        except OSError as error:
            opened.close()
            faults.append(error)
    # A name may have addresses that this machine lacks, such as ::1 where there is no IPv6.
    serious = [fault for fault in faults if not bound or fault.errno != errno.EADDRNOTAVAIL]
    if serious:
        raise cannot_listen(host, port, serious[0])
    return bound


def cannot_listen(host: str, port: int, fault: OSError) -> UserError:
    """Why there is no listening at a port, and what to do."""
    if fault.errno == errno.EADDRINUSE:
        return UserError(f"Port {port} of {host} is in use: take another --port, or end its owner.")
    return UserError(f"Port {port} of {host} cannot be listened at: {fault.strerror}.")


def trusts(token: str | None, host: str) -> bool:
    """Whether those who can ask are known: by a token, or as they are on this machine."""
    return bool(token) or is_loopback(host)


def is_loopback(host: str) -> bool:
    """Whether an address is of this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def checked_hosts(names: list[str], host: str) -> list[str] | None:
    """The names by which the server may be asked; None is any.

    Args:
      names: those allowed, "*.NAME" for all below one, "*" for any. Where there are none, it is
        those of this machine if `host` is, and else any: which ones lead here is not known then.
      host: the address to listen at.

    Raises:
      UserError: one that is no name.
    """
    plain = [name.strip().lower() for name in names]
    for typed, name in zip(names, plain, strict=True):
        if name != "*" and not _HOST.fullmatch(name):
            raise UserError(f"--allowed-hosts takes names such as shop.example, not {typed!r}.")
    if "*" in plain or not (plain or is_loopback(host)):
        return None
    own = f"[{host}]" if ":" in host else host
    return list(dict.fromkeys([*LOOPBACK, own.lower(), *plain]))


def checked_token(token: str | None) -> str | None:
    """A token without the white space around it, which no header can carry.

    Typer takes a variable that is set and empty for one that is not set; here it is a mistake.

    Raises:
      UserError: nothing is left, so that the server would be open by mistake.
    """
    token = os.environ.get(TOKEN) if token is None else token
    if token is not None and not token.strip():
        raise UserError(
            f"The token is empty: give one, or leave --token out and {TOKEN} unset to let "
            "everybody ask."
        )
    return token and token.strip()


def checked_origins(origins: list[str]) -> list[str]:
    """Origins as browsers send them; "*" is any.

    Raises:
      UserError: one that no browser sends, which would let nobody in.
    """
    plain = [origin.strip().rstrip("/").lower() for origin in origins]
    for typed, origin in zip(origins, plain, strict=True):
        if origin != "*" and not _ORIGIN.fullmatch(origin):
            raise UserError(f"--cors takes origins such as https://shop.example, not {typed!r}.")
    return plain


def checked_base(root: str) -> str:
    """The path that a proxy puts before every route: "" or as "/greenlight".

    Raises:
      UserError: it is no path.
    """
    plain = root.rstrip("/")
    if plain and not _ROOT.fullmatch(plain):
        raise UserError(f"--root-path takes a path such as /greenlight, not {root!r}.")
    return plain
