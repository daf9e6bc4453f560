"""Keeps files from bringing code with them; imported wherever Arrow opens one.

Arrow 10 unpickles what a file's schema says of a Python extension type as soon as the file is
opened (CVE-2023-47248), and a pickle can run anything.
"""

import pyarrow as pa

PICKLED = "arrow.py_extension_type"


class _Refused(pa.ExtensionType):
    """Stands where Arrow's pickled type was: opening a file that names it fails."""

    def __init__(self) -> None:
        super().__init__(pa.null(), PICKLED)

    def __arrow_ext_serialize__(self) -> bytes:
        return b""

    @classmethod
    def __arrow_ext_deserialize__(cls, storage_type: pa.DataType, serialized: bytes) -> None:
        raise pa.ArrowInvalid("its columns are pickled Python objects, which could run code")


pa.unregister_extension_type(PICKLED)
pa.register_extension_type(_Refused())
