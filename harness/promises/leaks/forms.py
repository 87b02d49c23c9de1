"""What leaks look like: stack frames, database errors, file paths, secrets; each with hints to look for first."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Form:
    """One look of a leak. A text is searched only where one of the hints (in lower case) stands in it."""

    code: str
    kind: str
    hints: tuple[str, ...]
    pattern: re.Pattern[str]

    def matches(self, text: str) -> Iterator[str]:
        """Every piece of the text that has this form."""
        return (match[0] for match in self.pattern.finditer(text))


def _form(code: str, kind: str, hints: str, pattern: str) -> Form:
    return Form(f"leaks.{code}", kind, tuple(hints.split("|")), re.compile(pattern, re.MULTILINE))


FRAMES = (
    _form("stack", "Python frame", ", line ", r'File "[^"\n]{1,300}", line \d+'),
    _form(
        "stack",
        "Node frame",
        " at ",
        r"^\s*at (?:(?:async |new )?[\w$.<>\[\] ]{1,120} )?\(?(?:file://|node:|/|[A-Za-z]:\\)[^\s()]{1,300}:\d+:\d+\)?",
    ),
    _form(
        "stack",
        "JVM frame",
        "at ",
        r"\bat [\w$.]{1,200}\.[\w$<>]{1,120}"
        r"\((?:[\w$]+\.(?:java|kt|scala|groovy)(?::\d+)?|Native Method|Unknown Source)\)",
    ),
    _form(
        "stack",
        ".NET frame",
        "at ",
        r"^\s*at [\w.`<>\[\],+]{3,200}\([^)\n]{0,200}\)(?: in [^\n]{1,300}:line \d+)$",
    ),
    _form("stack", "Go frame", ".go:", r"(?:goroutine \d+ \[[\w ,]+\]:|^\s+/[^\s:]{1,300}\.go:\d+)"),
    _form("stack", "Ruby frame", ".rb:", r"[\w/.-]{1,300}\.rb:\d+:in [`'\"]"),
    _form(
        "stack",
        "PHP frame",
        ".php",
        r"#\d+ (?:/[^\s(]{1,300}\.php\(\d+\)|\[internal function\]): |\bin /[^\s]{1,300}\.php(?: on line |:)\d+",
    ),
    _form("stack", "Rust panic", "panicked at", r"thread '[^'\n]{1,100}' (?:\(\d+\) )?panicked at "),
)  # fmt: skip

_PACKAGES = (
    r"sqlite3|psycopg2?|asyncpg|aiosqlite|sqlalchemy|django|pydantic(?:_core)?|msgspec|starlette|fastapi|werkzeug|jinja2"
    r"|redis|pymongo|pymysql|MySQLdb|aiohttp|httpx|botocore|jsonschema|asyncio|concurrent|builtins"
    r"|javax?|jakarta|kotlin|org\.(?:springframework|hibernate|postgresql|apache)|com\.(?:fasterxml|mysql|zaxxer)"
    r"|System|Microsoft|Npgsql|ActiveRecord|ActionController|PG|Mysql2|Illuminate|Symfony|Doctrine"
)
_BARE = (
    "KeyError|IndexError|AttributeError|NameError|ZeroDivisionError|UnboundLocalError|RecursionError|AssertionError"
    "|NotImplementedError|UnicodeDecodeError|UnicodeEncodeError|ModuleNotFoundError|OperationalError|IntegrityError"
    "|ProgrammingError|NullPointerException|NullReferenceException|ClassCastException|IllegalStateException"
    "|IndexOutOfBoundsException|NoMethodError|PDOException|PrismaClient\\w*Error|QueryFailedError|SequelizeDatabaseError"
)
ERRORS = (
    _form("stack", "Python traceback", "traceback", r"Traceback \(most recent call last\)"),
    _form(
        "stack",
        "exception class",
        "error|exception|violation",
        rf"\b(?:{_PACKAGES})(?:\.|::|\\)(?:\w+(?:\.|::|\\))*[A-Z]\w*(?:Error|Exception|Violation)\b|\b(?:{_BARE})\b(?=[:(]|$)",
    ),
    _form(
        "stack",
        "runtime error",
        "undefined|null|nil pointer",
        r"Cannot read propert(?:y|ies) (?:'\w+' )?of (?:undefined|null)|\b[\w$.]+ is not a function\b"
        r"|'NoneType' object (?:has no attribute|is not)|runtime error: (?:index out of range|invalid memory address)"
        r"|undefined method [`']\w+[`'] for nil",
    ),
    _form(
        "sql",
        "statement",
        "select|insert|update|delete",
        r"\bSELECT\s[^\0]{1,400}?\sFROM\s+[\w\"`\[]|\bselect (?:\*|\w+(?:, ?\w+)+) from \w"
        r"|\b(?:INSERT INTO|insert into)\s+[\w\"`.\[\]]+\s*\("
        r"|\b(?:UPDATE|update)\s+[\w\"`.]+\s+(?:SET|set)\s+[\w\"`.]+ ?="
        r"|\b(?:DELETE FROM|delete from)\s+[\w\"`.]+\s+(?:WHERE|where)\s",
    ),
    _form(
        "sql",
        "database error",
        "constraint|no such|syntax|sql|ora-|does not exist|duplicate|locked",
        r"\b(?:UNIQUE|FOREIGN KEY|NOT NULL|CHECK) constraint failed\b|\bno such (?:table|column|function): "
        r'|near "[^"\n]{0,80}": syntax error|\bSQLSTATE\b|\bSQLITE_[A-Z]{3,}|syntax error at or near'
        r"|violates (?:unique|foreign key|not-null|check|exclusion) constraint"
        r'|\b(?:relation|column) "[^"\n]{1,120}" (?:of relation "[^"\n]{1,120}" )?does not exist|\bORA-\d{5}\b'
        r"|error in your SQL syntax|Incorrect syntax near|Duplicate entry '[^'\n]{0,200}' for key"
        r"|\bdatabase is locked\b",
    ),
    _form(
        "path",
        "POSIX path",
        "/",
        r"(?<![\w:/.%@~-])"
        r"/(?:home|Users|usr|var|opt|srv|root|tmp|private|mnt|proc|etc|app|code|src|work|workspace|builds?|data)"
        r"(?:/[\w.@+-]+){1,20}"
        r"\.(?:pyc?|[mc]?js|tsx?|rb|php|java|kt|go|rs|cs|dll|so|jar|db|sqlite3?|sql|sock|conf|cfg|ini|env|log|pem|key)"
        r"\b(?!/)"
        r"|(?<![\w:/.%@~-])/(?:home|Users|usr|var|opt|srv|root)(?:/[\w.@+-]+){2,20}",
    ),
    _form(
        "path",
        "Windows path",
        ":\\",
        r"\b[A-Za-z]:\\(?:Users|Windows|inetpub|Program Files|ProgramData|app|src|work)\\[\w. -]+",
    ),
)  # fmt: skip

SECRETS = (
    _form(
        "secret",
        "password hash",
        "$argon2|$2|$scrypt$|pbkdf2",
        r"\$argon2(?:id|i|d)\$(?:v=\d|m=\d|\[masked\])|\$2[abxy]\$(?:\d\d\$[./A-Za-z0-9]{20}|\[masked\])"
        r"|\$scrypt\$(?:ln=|n=|\d|\[masked\])|\$?pbkdf2[_:-]sha\d+[$:](?:\d{3,}[$:]|i=|\[masked\])",
    ),
    _form("secret", "private key", "private key-----", r"-----BEGIN (?:[A-Z]{2,10} )?PRIVATE KEY-----"),
)  # fmt: skip

# Members that hold what is made for whoever mends the server.
DEBUG_NAMES = {"debug", "trace", "stack", "stacktrace", "traceback", "exception", "sql", "sqlmessage"}
DEBUG_HINTS = ("debug", "trace", "stack", "exception", "sql")
HIDDEN_NAMES = {
    "password", "passwd", "passwordhash", "hashedpassword", "passworddigest", "encryptedpassword", "pwhash",
    "passwordsalt", "salt", "privatekey", "totpsecret", "mfasecret", "otpsecret",
}  # fmt: skip
HIDDEN_HINTS = ("pass", "pwhash", "pw_hash", "salt", "private", "secret")


def plain(name: str) -> str:
    """A member's name without case and separators, as the sets above hold it."""
    return re.sub(r"[^a-z]", "", name.lower())
