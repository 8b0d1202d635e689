"""The one accepted shape of a token's claims; anything else is refused."""

import json
from typing import Annotated, Any, Final, NoReturn

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from auth.principal import Principal, is_division
from contract.identifier import is_citizen_number

MAXIMUM_ROLES: Final = 16

Name = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[^\x00-\x20\x7f]+$")]
Text = Annotated[str, Field(max_length=128, pattern=r"^[^\x00-\x1f\x7f]*$")]
Role = Annotated[str, Field(max_length=64, pattern=r"^[a-z][a-z0-9_]*$")]
Scope = Annotated[str, Field(max_length=12, pattern=r"^[0-9]+$")]
Seconds = Annotated[int, Field(ge=0, lt=2**40)]


class InvalidClaims(ValueError):
    """Claims of another shape; the text never repeats a claim's value."""


class Claims(BaseModel):
    """What a token says; times are seconds since 1970, UTC."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    iss: Name
    aud: Name | Annotated[list[Name], Field(min_length=1, max_length=16)]
    sub: Name
    exp: Seconds
    iat: Seconds
    roles: Annotated[list[Role], Field(min_length=1, max_length=MAXIMUM_ROLES)]
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=MAXIMUM_ROLES)]
    department: Text
    purpose: Text
    nbf: Seconds | None = None
    jti: Name | None = None
    sid: Name | None = None
    citizen: Annotated[str, Field(max_length=18)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, claims: Any) -> Any:
        if isinstance(claims, dict) and None in claims.values():
            raise ValueError("a claim is null")
        return claims

    @model_validator(mode="after")
    def _scopes_match_roles(self) -> "Claims":
        if len(self.roles) != len(self.scopes):
            raise ValueError("roles and scopes differ in length")
        if not all(is_division(scope) for scope in self.scopes):
            raise ValueError("a scope is no division code")
        if self.citizen is not None and not is_citizen_number(self.citizen):
            raise ValueError("the citizen number is none")
        return self

    def is_for(self, audience: str) -> bool:
        """Return whether the token names the audience."""
        return audience == self.aud if isinstance(self.aud, str) else audience in self.aud

    def principal(self) -> Principal:
        """Return who the token speaks of."""
        return Principal(
            self.sub,
            tuple(self.roles),
            tuple(self.scopes),
            self.department,
            self.purpose,
            citizen=self.citizen or "",
        )


def json_object(text: bytes) -> dict[str, object]:
    """
    Return the JSON object, read strictly: no name twice, no NaN.

    Raises: InvalidClaims.
    """
    try:
        value = json.loads(
            text.decode(), object_pairs_hook=_without_repetition, parse_constant=_refuse_constant
        )
    except (ValueError, RecursionError):
        raise InvalidClaims("not strict JSON") from None
    if not isinstance(value, dict):
        raise InvalidClaims("not a JSON object")
    return value


def claims_of(payload: dict[str, object]) -> Claims:
    """
    Return the claims in their one accepted shape.

    Raises: InvalidClaims.
    """
    try:
        return Claims.model_validate(payload)
    except ValidationError as error:
        kinds = sorted({str(part["type"]) for part in error.errors(include_input=False)})
        raise InvalidClaims(f"claims of another shape: {', '.join(kinds)}") from None


def _without_repetition(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise InvalidClaims("a name occurs twice")
    return members


def _refuse_constant(_: str) -> NoReturn:
    raise InvalidClaims("NaN or Infinity")
