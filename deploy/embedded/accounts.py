"""As whom a server runs that refuses root."""

import os
import pwd
import sys
from pathlib import Path

from deploy.embedded.child import CALLER, Account
from deploy.embedded.errors import StackError

# The first of these that the machine knows; both exist for programs like this one.
_CANDIDATES = ("postgres", "nobody")


def account_for(directory: Path) -> Account:
    """Return the account to run as on this directory: the caller's own unless that is root.

    A directory that exists decides by its owner.

    Raises:
        StackError: the directory belongs to somebody else, or root finds no account to use.
    """
    owner = directory.stat().st_uid if directory.exists() else None
    caller = os.geteuid()
    if caller != 0:
        if owner not in (None, caller):
            raise StackError(
                f"{directory} belongs to user {owner}, not to you ({caller}); "
                "start the stack as the user who first did, or choose another --data-dir"
            )
        return CALLER
    if sys.platform != "linux":
        raise StackError("PostgreSQL refuses to run as root; start the stack as an ordinary user")
    if owner:
        return _known(owner)
    for name in _CANDIDATES:
        try:
            return _account(pwd.getpwnam(name))
        except KeyError:
            continue
    raise StackError(
        "PostgreSQL refuses to run as root and there is neither a user "
        f"{' nor '.join(_CANDIDATES)}; start the stack as an ordinary user"
    )


def hand_over(directory: Path, account: Account) -> None:
    """Make a directory the account's own."""
    if account.uid is not None and account.gid is not None:
        os.chown(directory, account.uid, account.gid)


def _known(uid: int) -> Account:
    try:
        return _account(pwd.getpwuid(uid))
    except KeyError:
        raise StackError(
            f"PostgreSQL's data belong to user {uid}, whom this machine does not know; "
            "give them to a user it knows, or choose another --data-dir"
        ) from None


def _account(entry: pwd.struct_passwd) -> Account:
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
