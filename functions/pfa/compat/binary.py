"""Bytes and fixed: one form for their values, everywhere in the engine.

Titus was written when Python 2's ``str`` was both text and bytes. In titus2 a value of type bytes
or fixed is Python ``bytes`` when it comes from the input or from pack, and a ``str`` with one
character per byte (latin-1, as Avro writes bytes in JSON) when it comes from a literal, an encoder,
a cell or a slice. The two are never equal, cannot be compared, and only one of them can be written
as JSON: == and sort fail, a.contains and map.containsValue are silently wrong, a cast block finds
no case and gives null.

Here it is always the latin-1 ``str``: it compares in the order of the bytes, is Avro's own JSON
form, and is what titus2's own tests expect to come out. Input is converted once, where it comes
in; what needs real bytes (codecs, pack, unpack, Avro's binary writer) converts at its door.
"""

import base64
import binascii
import codecs
import io
from typing import Any

from pfa.compat.loader import mends


def _text(value: object) -> str:
    """Give the engine's form of some bytes: one character per byte.

    Raises TypeError for anything but bytes, or text that is in this form already.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, (bytes, bytearray)):
        return value.decode("latin-1")
    raise TypeError("value is not of type bytes")


def _raw(value: object) -> bytes:
    """Give real bytes for the engine's form; TypeError for a character above U+00FF."""
    if isinstance(value, (bytes, bytearray)):
        return bytes(value)
    if isinstance(value, str):
        try:
            return value.encode("latin-1")
        except UnicodeEncodeError:
            pass
    raise TypeError("value is not of type string")


@mends("titus.util")
def _conversions(util: Any) -> None:
    """Replace two loops under a bare ``except:``.

    It turned MemoryError, and whatever a watchdog raises, into TypeError.
    """
    util.bytesToString = _text
    util.stringToBytes = _raw


@mends("titus.datatype")
def _input(datatype: Any) -> None:
    """Bring bytes and fixed in the input to the engine's form."""
    stock = datatype.checkData
    raw_types = (datatype.AvroBytes, datatype.AvroFixed)

    def checkData(data: Any, avroType: Any) -> Any:  # noqa: N802, N803
        if isinstance(avroType, raw_types):
            if isinstance(data, (str, bytes, bytearray)):
                return _text(_raw(data))
            raise TypeError(f"expecting {datatype.ts(avroType)}, found {data}")
        return stock(data, avroType)

    # The stock one calls itself by this name for what is inside arrays, maps and records.
    datatype.checkData = checkData


@mends("titus.datatype")
def _tags(datatype: Any) -> None:
    """Write a tagged value of a union as the branch that its tag says.

    titus takes the first branch that fits: for bytes, which are text now, it may be the string.
    """
    stock = datatype.jsonEncoder

    def jsonEncoder(avroType: Any, value: Any, tagged: bool = True) -> Any:  # noqa: N802, N803
        if isinstance(avroType, datatype.AvroUnion) and isinstance(value, dict) and len(value) == 1:
            ((tag, inner),) = value.items()
            for branch in avroType.types:
                if branch.name == tag:
                    try:
                        encoded = datatype.jsonEncoder(branch, inner, tagged)
                    except datatype.titus.errors.AvroException:
                        break  # a map or record without its tag
                    return {tag: encoded} if tagged and inner is not None else encoded
        return stock(avroType, value, tagged)

    # The stock one calls itself by this name for what is inside arrays, maps and records.
    datatype.jsonEncoder = jsonEncoder


@mends("titus.genpy")
def _pack_and_unpack(genpy: Any) -> None:
    stock_pack = genpy.pack
    stock_unpack_one = genpy.unpackOne

    def pack(state: Any, scope: Any, values: Any, pos: Any) -> str:
        return _text(stock_pack(state, scope, values, pos))

    def unpackOne(byte_s: Any, scope: Any, s: str, f: str, l: Any) -> bytes:  # noqa: N802, E741
        rest: bytes = stock_unpack_one(_raw(byte_s), scope, s, f, l)
        value = scope.get(s)
        if isinstance(value, bytes):
            scope.let({s: _text(value)})
        return rest

    genpy.pack = pack
    genpy.unpackOne = unpackOne


@mends("titus.lib.bytes")
def _testers_and_base64(lib: Any) -> None:
    """Give codecs real bytes; report base64 of a wrong length as the error the PFA spec gives."""
    stock = lib.Tester.__call__

    def tester(self: Any, state: Any, scope: Any, pos: Any, types: Any, x: Any) -> bool:
        if types[0] in ("bytes", {"type": "bytes"}):
            try:
                codecs.decode(_raw(x), self.codec, "strict")
            except UnicodeDecodeError:
                return False
            return True
        return bool(stock(self, state, scope, pos, types, x))

    lib.Tester.__call__ = tester

    stock_from_base64 = lib.FromBase64.__call__

    def from_base64(self: Any, state: Any, scope: Any, pos: Any, types: Any, s: str) -> str:
        try:
            return str(stock_from_base64(self, state, scope, pos, types, s))
        except binascii.Error:
            # Python 2 raised TypeError here, which is all that titus catches.
            raise lib.PFARuntimeException(
                "invalid base64", self.errcodeBase + 0, self.name, pos
            ) from None

    lib.FromBase64.__call__ = from_base64


def _for_avro(types: Any, avro_type: Any, value: Any) -> Any:
    """Turn a value with tagged unions into what Avro's writer takes: real bytes, no tags."""
    if isinstance(avro_type, (types.AvroBytes, types.AvroFixed)):
        return _raw(value)
    if isinstance(avro_type, types.AvroArray):
        items = avro_type.items
        return [_for_avro(types, items, x) for x in value]
    if isinstance(avro_type, types.AvroMap):
        values = avro_type.values
        return {k: _for_avro(types, values, v) for k, v in value.items()}
    if isinstance(avro_type, types.AvroRecord):
        fields = [field for field in avro_type.fields if field.name in value]
        return {f.name: _for_avro(types, f.avroType, value[f.name]) for f in fields}
    if isinstance(avro_type, types.AvroUnion) and value is not None:
        ((tag, inner),) = value.items()
        (branch,) = (t for t in avro_type.types if t.name == tag)
        return _for_avro(types, branch, inner)
    return value


@mends("titus.lib.cast", "titus.lib.map")
def _avro_binary(lib: Any) -> None:
    """Write Avro's binary form of values that are, or hold, bytes.

    titus hands the writer text for bytes, and takes the tag off a union only at the top.
    """

    def to_avro(avro_type: Any, value: Any) -> bytes:
        out = io.BytesIO()
        plain = _for_avro(lib, avro_type, lib.jsonEncoder(avro_type, value))
        lib.DatumWriter(avro_type.schema).write(plain, lib.BinaryEncoder(out))
        return out.getvalue()

    if lib.__name__ == "titus.lib.map":

        def to_key(_self: Any, x: Any, avro_type: Any) -> str:
            # map.toset and its kin: a set is a map whose keys are base64 of Avro's binary form
            return base64.b64encode(to_avro(avro_type, x)).decode("ascii")

        lib.ObjKey.toKey = to_key
    else:

        def cast_avro(_self: Any, _state: Any, _scope: Any, _pos: Any, types: Any, x: Any) -> str:
            return _text(to_avro(lib.jsonNodeToAvroType(types[0]), x))

        lib.CastAvro.__call__ = cast_avro
