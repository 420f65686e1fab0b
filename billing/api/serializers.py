"""What comes in, checked strictly: unknown fields, wrong types and repeated parameters are refused by name."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request

_LONGEST_NAME = 60  # of an unknown field in an answer: nobody's megabyte is sent back


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses fields that it does not have, beside everything else that is wrong."""

    unknown = ErrorDetail("There is no such field.", "unknown-field")

    def to_internal_value(self, data: Any) -> Any:
        strangers = sorted(set(data) - set(self.fields)) if isinstance(data, Mapping) else []
        errors: dict[str, Any] = {self.shown(name): [self.unknown] for name in strangers[:20]}
        value = None
        try:
            value = super().to_internal_value(data)
        except ValidationError as error:
            errors |= error.detail if isinstance(error.detail, dict) else {"body": error.detail}
        if errors:
            raise ValidationError(errors)
        return value

    @staticmethod
    def shown(name: str) -> str:
        """An unknown name as an answer repeats it."""
        return name[:_LONGEST_NAME]


class Body(StrictSerializer):
    """The fields of a request's body."""

    @classmethod
    def read(cls, request: Request) -> dict[str, Any]:
        """The validated body. Raises the problems of the parser, and ValidationError."""
        return _validated(cls(data=request.data))


class Changes(Body):
    """A body of which each field may be left out, and not all of them: it would change nothing."""

    def to_internal_value(self, data: Any) -> Any:
        value = super().to_internal_value(data)
        if not value:
            raise ValidationError({"body": [ErrorDetail("Name one field or more.", "required")]})
        return value


class Query(StrictSerializer):
    """The parameters of a request's address."""

    unknown = ErrorDetail("There is no such parameter.", "unknown-parameter")

    @classmethod
    def read(cls, request: Request) -> dict[str, Any]:
        """The validated parameters; one that is absent and has no default is absent here too."""
        repeated = [name for name, values in request.query_params.lists() if len(values) > 1]
        if repeated:
            once = ErrorDetail("The parameter stands more than once.", "repeated-parameter")
            raise ValidationError({cls.shown(name): [once] for name in repeated[:20]})
        return _validated(cls(data=request.query_params.dict()))


def _validated(serializer: StrictSerializer) -> dict[str, Any]:
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)


class Text(serializers.CharField):
    """A JSON string: a number is not taken for one."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class WholeNumber(serializers.IntegerField):
    """A JSON integer: neither a string of digits nor a number with a point, nor true."""

    def to_internal_value(self, data: Any) -> int:
        if type(data) is not int:
            self.fail("invalid")
        return super().to_internal_value(data)


class Switch(serializers.BooleanField):
    """JSON's true or false: no word or number stands for them."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=str(data)[:_LONGEST_NAME])
        return data


class Digits(serializers.IntegerField):
    """A whole number in an address: ASCII digits only."""

    def to_internal_value(self, data: Any) -> int:
        if not (isinstance(data, str) and data.isascii() and data.isdecimal()):
            self.fail("invalid")
        return super().to_internal_value(data)


class AccountQuery(Query):
    """Narrows an answer to one workspace and the account that pays for it."""

    workspace = serializers.CharField(required=False, max_length=100, help_text="Slug or id of a workspace.")


class PageQuery(Query):
    """Which page of a list."""

    limit = Digits(required=False, default=50, min_value=1, max_value=200, help_text="Rows of a page.")
    cursor = serializers.CharField(required=False, max_length=100, help_text="The `next` of the page before.")


class AccountPageQuery(AccountQuery, PageQuery):
    """Which page of a list of one account."""
