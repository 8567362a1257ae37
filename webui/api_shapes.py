"""What all parts of the API share: what a body may hold, how lists are cut into pages."""

from ninja import Field, Schema
from ninja.pagination import LimitOffsetPagination
from pydantic import ConfigDict

MAX_LIMIT = 1000
MAX_OFFSET = 1_000_000  # beyond it a database walks more rows than the page is worth


class Body(Schema):
    """The body of a call. A field it does not know is an error: a misspelt one would change
    nothing, and be answered like one that did."""

    model_config = ConfigDict(extra="forbid")


class Pages(LimitOffsetPagination):
    """`limit` and `offset`, both within what a database answers quickly."""

    class Input(Schema):
        """The query parameters."""

        limit: int = Field(100, ge=1, le=MAX_LIMIT)
        offset: int = Field(0, ge=0, le=MAX_OFFSET)
