# This is a generated file! Please edit source .ksy file and use kaitai-struct-compiler to rebuild
# type: ignore

import kaitaistruct
from kaitaistruct import KaitaiStruct, KaitaiStream, BytesIO
from enum import IntEnum


if getattr(kaitaistruct, 'API_VERSION', (0, 9)) < (0, 11):
    raise Exception("Incompatible Kaitai Struct Python API: 0.11 or later is required, but you have %s" % (kaitaistruct.__version__))

class Freezepack(KaitaiStruct):
    """Format version 1. The text is freezepack-1.md; the numbers are those of ids.toml. This
    description finds every field and every section of a correct file. It does not check the rules
    (order, ranges, shortest varints, checksums, digests), except the magic and the version. The
    fields of a coded header (header.md) are not in places of their own, so it is one piece here.
    
    Names of fields are those of the text. What is computed and not stored is an instance.
    
    .. seealso::
       freezepack-1.md
    """

    class BaseKind(IntEnum):
        seed = 1
        file = 2
        pack = 3

    class Draw(IntEnum):
        constant = 0
        uniform = 1
        normal = 2
        truncated_normal = 3
        sign = 4

    class Dtype(IntEnum):
        float32 = 1
        float16 = 2
        bfloat16 = 3
        float64 = 4
        float8_e4m3fn = 5
        float8_e5m2 = 6
        int8 = 7
        int16 = 8
        int32 = 9
        int64 = 10
        uint8 = 11
        uint16 = 12
        uint32 = 13
        uint64 = 14
        bool = 15
        complex64 = 16
        complex128 = 17

    class IndexCodec(IntEnum):
        none = 0
        all = 1
        bitmap = 2
        gaps = 3
        seeded = 4
        hazard = 5
        base_top = 6
        free = 7
        hazard_turned = 8
        probit = 9
        joint = 15

    class MetadataKey(IntEnum):
        architecture = 1
        architecture_arguments = 2
        freezing_rate = 3
        score = 4
        seeds = 5
        configuration_hash = 6
        accuracy = 7
        licence = 8

    class ValueCodec(IntEnum):
        raw = 0
        planes = 1
        constant = 2
        float = 3
        grid = 4
        bf16 = 5
        fp16 = 6
    def __init__(self, _io, _parent=None, _root=None):
        super(Freezepack, self).__init__(_io)
        self._parent = _parent
        self._root = _root or self
        self._read()

    def _read(self):
        self.magic = self._io.read_bytes(4)
        if not self.magic == b"\x89\x46\x50\x4B":
            raise kaitaistruct.ValidationNotEqualError(b"\x89\x46\x50\x4B", self.magic, self._io, u"/seq/0")
        self.version = self._io.read_u1()
        if not  ((self.version == 1) or (self.version == 129)) :
            raise kaitaistruct.ValidationNotAnyOfError(self.version, self._io, u"/seq/1")
        if (not (self.is_coded)):
            pass
            self.features = Freezepack.Varint(self._io, self, self._root)

        self.header_length = Freezepack.Varint(self._io, self, self._root)
        if (not (self.is_coded)):
            pass
            self.payload_length = Freezepack.Varint(self._io, self, self._root)

        self.checksum = self._io.read_u4le()
        if (not (self.is_coded)):
            pass
            self._raw_header = self._io.read_bytes(self.header_length.value)
            _io__raw_header = KaitaiStream(BytesIO(self._raw_header))
            self.header = Freezepack.Header(_io__raw_header, self, self._root)

        if (not (self.is_coded)):
            pass
            self._raw_payload = self._io.read_bytes(self.payload_length.value)
            _io__raw_payload = KaitaiStream(BytesIO(self._raw_payload))
            self.payload = Freezepack.Payload(_io__raw_payload, self, self._root)

        if self.is_coded:
            pass
            self._raw_coded_header = self._io.read_bytes(self.header_length.value)
            _io__raw_coded_header = KaitaiStream(BytesIO(self._raw_coded_header))
            self.coded_header = Freezepack.CodedHeader(_io__raw_coded_header, self, self._root)

        if self.is_coded:
            pass
            self.sections = self._io.read_bytes_full()



    def _fetch_instances(self):
        pass
        if (not (self.is_coded)):
            pass
            self.features._fetch_instances()

        self.header_length._fetch_instances()
        if (not (self.is_coded)):
            pass
            self.payload_length._fetch_instances()

        if (not (self.is_coded)):
            pass
            self.header._fetch_instances()

        if (not (self.is_coded)):
            pass
            self.payload._fetch_instances()

        if self.is_coded:
            pass
            self.coded_header._fetch_instances()

        if self.is_coded:
            pass


    class Base(KaitaiStruct):
        def __init__(self, _io, _parent=None, _root=None):
            super(Freezepack.Base, self).__init__(_io)
            self._parent = _parent
            self._root = _root
            self._read()

        def _read(self):
            self.base_kind = Freezepack.Varint(self._io, self, self._root)
            if self.kind == Freezepack.BaseKind.seed:
                pass
                self.base_seed = Freezepack.Varint(self._io, self, self._root)

            if self.kind != Freezepack.BaseKind.seed:
                pass
                self.base_digest = self._io.read_u8le()

            if self.kind != Freezepack.BaseKind.seed:
                pass
                self.base_hint = Freezepack.Text(self._io, self, self._root)



        def _fetch_instances(self):
            pass
            self.base_kind._fetch_instances()
            if self.kind == Freezepack.BaseKind.seed:
                pass
                self.base_seed._fetch_instances()

            if self.kind != Freezepack.BaseKind.seed:
                pass

            if self.kind != Freezepack.BaseKind.seed:
                pass
                self.base_hint._fetch_instances()


        @property
        def kind(self):
            if hasattr(self, '_m_kind'):
                return self._m_kind

            self._m_kind = KaitaiStream.resolve_enum(Freezepack.BaseKind, self.base_kind.value)
            return getattr(self, '_m_kind', None)


    class CodedHeader(KaitaiStruct):
        def __init__(self, _io, _parent=None, _root=None):
            super(Freezepack.CodedHeader, self).__init__(_io)
            self._parent = _parent
            self._root = _root
            self._read()

        def _read(self):
            self.stream = self._io.read_bytes(self._parent.header_length.value - 8)
            self.digest = self._io.read_u8le()


        def _fetch_instances(self):
            pass


    class Header(KaitaiStruct):
        def __init__(self, _io, _parent=None, _root=None):
            super(Freezepack.Header, self).__init__(_io)
            self._parent = _parent
            self._root = _root
            self._read()

        def _read(self):
            self.metadata_count = Freezepack.Varint(self._io, self, self._root)
            self.metadata = []
            for i in range(self.metadata_count.value):
                self.metadata.append(Freezepack.MetadataEntry(self._io, self, self._root))

            self.base_count = Freezepack.Varint(self._io, self, self._root)
            self.bases = []
            for i in range(self.base_count.value):
                self.bases.append(Freezepack.Base(self._io, self, self._root))

            self.kind_count = Freezepack.Varint(self._io, self, self._root)
            self.kinds = []
            for i in range(self.kind_count.value):
                self.kinds.append(Freezepack.Kind(self._io, self, self._root))

            self.tensor_count = Freezepack.Varint(self._io, self, self._root)
            self.tensors = []
            for i in range(self.tensor_count.value):
                self.tensors.append(Freezepack.Tensor(i, self._io, self, self._root))

            self.digests = []
            i = 0
            while not self._io.is_eof():
                self.digests.append(self._io.read_u8le())
                i += 1



        def _fetch_instances(self):
            pass
            self.metadata_count._fetch_instances()
            for i in range(len(self.metadata)):
                pass
                self.metadata[i]._fetch_instances()

            self.base_count._fetch_instances()
            for i in range(len(self.bases)):
                pass
                self.bases[i]._fetch_instances()

            self.kind_count._fetch_instances()
            for i in range(len(self.kinds)):
                pass
                self.kinds[i]._fetch_instances()

            self.tensor_count._fetch_instances()
            for i in range(len(self.tensors)):
                pass
                self.tensors[i]._fetch_instances()

            for i in range(len(self.digests)):
                pass



    class Kind(KaitaiStruct):
        def __init__(self, _io, _parent=None, _root=None):
            super(Freezepack.Kind, self).__init__(_io)
            self._parent = _parent
            self._root = _root
            self._read()

        def _read(self):
            self.dtype = Freezepack.Varint(self._io, self, self._root)
            self.kind_base = Freezepack.Varint(self._io, self, self._root)
            if self.is_seeded:
                pass
                self.draw = Freezepack.Varint(self._io, self, self._root)

            self.kind_flags = Freezepack.Varint(self._io, self, self._root)
            self.index_codec = Freezepack.Varint(self._io, self, self._root)
            if  ((self.index == Freezepack.IndexCodec.seeded) or (self.index == Freezepack.IndexCodec.free)) :
                pass
                self.mask_base = Freezepack.Varint(self._io, self, self._root)

            self.value_codec = Freezepack.Varint(self._io, self, self._root)


        def _fetch_instances(self):
            pass
            self.dtype._fetch_instances()
            self.kind_base._fetch_instances()
            if self.is_seeded:
                pass
                self.draw._fetch_instances()

            self.kind_flags._fetch_instances()
            self.index_codec._fetch_instances()
            if  ((self.index == Freezepack.IndexCodec.seeded) or (self.index == Freezepack.IndexCodec.free)) :
                pass
                self.mask_base._fetch_instances()

            self.value_codec._fetch_instances()

        @property
        def draw_kind(self):
            if hasattr(self, '_m_draw_kind'):
                return self._m_draw_kind

            if self.is_seeded:
                pass
                self._m_draw_kind = KaitaiStream.resolve_enum(Freezepack.Draw, self.draw.value)

            return getattr(self, '_m_draw_kind', None)

        @property
        def element(self):
            if hasattr(self, '_m_element'):
                return self._m_element

            self._m_element = KaitaiStream.resolve_enum(Freezepack.Dtype, self.dtype.value)
            return getattr(self, '_m_element', None)

        @property
        def element_size(self):
            if hasattr(self, '_m_element_size'):
                return self._m_element_size

            self._m_element_size = (16 if self.element == Freezepack.Dtype.complex128 else (8 if  ((self.element == Freezepack.Dtype.float64) or (self.element == Freezepack.Dtype.int64) or (self.element == Freezepack.Dtype.uint64) or (self.element == Freezepack.Dtype.complex64))  else (4 if  ((self.element == Freezepack.Dtype.float32) or (self.element == Freezepack.Dtype.int32) or (self.element == Freezepack.Dtype.uint32))  else (2 if  ((self.element == Freezepack.Dtype.float16) or (self.element == Freezepack.Dtype.bfloat16) or (self.element == Freezepack.Dtype.int16) or (self.element == Freezepack.Dtype.uint16))  else 1))))
            return getattr(self, '_m_element_size', None)

        @property
        def has_stream(self):
            if hasattr(self, '_m_has_stream'):
                return self._m_has_stream

            self._m_has_stream = self.kind_flags.value & 1 == 1
            return getattr(self, '_m_has_stream', None)

        @property
        def index(self):
            if hasattr(self, '_m_index'):
                return self._m_index

            self._m_index = KaitaiStream.resolve_enum(Freezepack.IndexCodec, self.index_codec.value)
            return getattr(self, '_m_index', None)

        @property
        def index_has_length(self):
            """Whether the length of an index section is stored."""
            if hasattr(self, '_m_index_has_length'):
                return self._m_index_has_length

            self._m_index_has_length =  ((self.index == Freezepack.IndexCodec.gaps) or (self.index == Freezepack.IndexCodec.hazard) or (self.index == Freezepack.IndexCodec.free) or (self.index == Freezepack.IndexCodec.hazard_turned) or (self.index == Freezepack.IndexCodec.probit)) 
            return getattr(self, '_m_index_has_length', None)

        @property
        def is_joint(self):
            """Whether index and values lie in a section of a run."""
            if hasattr(self, '_m_is_joint'):
                return self._m_is_joint

            self._m_is_joint = self.index == Freezepack.IndexCodec.joint
            return getattr(self, '_m_is_joint', None)

        @property
        def is_seeded(self):
            if hasattr(self, '_m_is_seeded'):
                return self._m_is_seeded

            self._m_is_seeded =  ((self.kind_base.value > 0) and (self._parent.bases[self.kind_base.value - 1].kind == Freezepack.BaseKind.seed)) 
            return getattr(self, '_m_is_seeded', None)

        @property
        def parameter_size(self):
            if hasattr(self, '_m_parameter_size'):
                return self._m_parameter_size

            self._m_parameter_size = (self.element_size if self.values == Freezepack.ValueCodec.constant else (2 if self.values == Freezepack.ValueCodec.grid else 0))
            return getattr(self, '_m_parameter_size', None)

        @property
        def units_store_nothing(self):
            """All about the units follows from the kind, however many there are."""
            if hasattr(self, '_m_units_store_nothing'):
                return self._m_units_store_nothing

            self._m_units_store_nothing =  ((self.index == Freezepack.IndexCodec.none) or ( ((self.index == Freezepack.IndexCodec.all) and ((not (self.values_have_length))) and ( ((self._root.one_checksum) or (self.values == Freezepack.ValueCodec.constant)) )) )) 
            return getattr(self, '_m_units_store_nothing', None)

        @property
        def values(self):
            if hasattr(self, '_m_values'):
                return self._m_values

            self._m_values = KaitaiStream.resolve_enum(Freezepack.ValueCodec, self.value_codec.value)
            return getattr(self, '_m_values', None)

        @property
        def values_have_length(self):
            """Whether the length of a value section is stored."""
            if hasattr(self, '_m_values_have_length'):
                return self._m_values_have_length

            self._m_values_have_length =  ((self.values != Freezepack.ValueCodec.raw) and (self.values != Freezepack.ValueCodec.constant)) 
            return getattr(self, '_m_values_have_length', None)


    class MetadataEntry(KaitaiStruct):
        def __init__(self, _io, _parent=None, _root=None):
            super(Freezepack.MetadataEntry, self).__init__(_io)
            self._parent = _parent
            self._root = _root
            self._read()

        def _read(self):
            self.metadata_key = Freezepack.Varint(self._io, self, self._root)
            if self.metadata_key.value == 0:
                pass
                self.free_key = Freezepack.Text(self._io, self, self._root)

            self.metadata_value = Freezepack.Text(self._io, self, self._root)


        def _fetch_instances(self):
            pass
            self.metadata_key._fetch_instances()
            if self.metadata_key.value == 0:
                pass
                self.free_key._fetch_instances()

            self.metadata_value._fetch_instances()


    class Name(KaitaiStruct):
        def __init__(self, _io, _parent=None, _root=None):
            super(Freezepack.Name, self).__init__(_io)
            self._parent = _parent
            self._root = _root
            self._read()

        def _read(self):
            self.shared = Freezepack.Varint(self._io, self, self._root)
            self.pieces = []
            i = 0
            while True:
                _ = Freezepack.NamePiece(self._io, self, self._root)
                self.pieces.append(_)
                if _.is_last:
                    break
                i += 1


        def _fetch_instances(self):
            pass
            self.shared._fetch_instances()
            for i in range(len(self.pieces)):
                pass
                self.pieces[i]._fetch_instances()



    class NamePiece(KaitaiStruct):
        """A character of UTF-8, or a byte that stands for a word or an ending of ids.toml; 0x00 and
        endings end the name.
        """
        def __init__(self, _io, _parent=None, _root=None):
            super(Freezepack.NamePiece, self).__init__(_io)
            self._parent = _parent
            self._root = _root
            self._read()

        def _read(self):
            self.code = self._io.read_u1()
            if self.code >= 192:
                pass
                self.following = self._io.read_bytes((1 if self.code < 224 else (2 if self.code < 240 else 3)))



        def _fetch_instances(self):
            pass
            if self.code >= 192:
                pass


        @property
        def is_last(self):
            if hasattr(self, '_m_is_last'):
                return self._m_is_last

            self._m_is_last =  ((self.code == 0) or ( ((self.code >= 160) and (self.code < 192)) )) 
            return getattr(self, '_m_is_last', None)


    class Payload(KaitaiStruct):
        def __init__(self, _io, _parent=None, _root=None):
            super(Freezepack.Payload, self).__init__(_io)
            self._parent = _parent
            self._root = _root
            self._read()

        def _read(self):
            self.tensors = []
            for i in range(self._root.header.tensor_count.value):
                self.tensors.append(Freezepack.TensorSections(self._root.header.tensors[i], self._io, self, self._root))



        def _fetch_instances(self):
            pass
            for i in range(len(self.tensors)):
                pass
                self.tensors[i]._fetch_instances()



    class Product(KaitaiStruct):
        """Product of the dimensions from `place` on; takes no bytes."""
        def __init__(self, shape, place, _io, _parent=None, _root=None):
            super(Freezepack.Product, self).__init__(_io)
            self._parent = _parent
            self._root = _root
            self.shape = shape
            self.place = place
            self._read()

        def _read(self):
            pass


        def _fetch_instances(self):
            pass
            _ = self.rest
            if hasattr(self, '_m_rest'):
                pass
                self._m_rest._fetch_instances()


        @property
        def rest(self):
            if hasattr(self, '_m_rest'):
                return self._m_rest

            if self.place < self.shape.rank.value:
                pass
                self._m_rest = Freezepack.Product(self.shape, self.place + 1, self._io, self, self._root)

            return getattr(self, '_m_rest', None)

        @property
        def value(self):
            if hasattr(self, '_m_value'):
                return self._m_value

            self._m_value = (self.shape.dimensions[self.place].value * self.rest.value if self.place < self.shape.rank.value else 1)
            return getattr(self, '_m_value', None)


    class Row(KaitaiStruct):
        """Longest product of trailing dimensions, never the first, of at most 2^20; takes no bytes.
        `product` is that of the dimensions behind `place`.
        """
        def __init__(self, shape, place, product, _io, _parent=None, _root=None):
            super(Freezepack.Row, self).__init__(_io)
            self._parent = _parent
            self._root = _root
            self.shape = shape
            self.place = place
            self.product = product
            self._read()

        def _read(self):
            pass


        def _fetch_instances(self):
            pass
            _ = self.rest
            if hasattr(self, '_m_rest'):
                pass
                self._m_rest._fetch_instances()


        @property
        def goes_on(self):
            if hasattr(self, '_m_goes_on'):
                return self._m_goes_on

            self._m_goes_on =  ((self.place >= 1) and (self.longer <= 1048576)) 
            return getattr(self, '_m_goes_on', None)

        @property
        def longer(self):
            if hasattr(self, '_m_longer'):
                return self._m_longer

            self._m_longer = (0 if self.place < 1 else self.product * self.shape.dimensions[self.place].value)
            return getattr(self, '_m_longer', None)

        @property
        def rest(self):
            if hasattr(self, '_m_rest'):
                return self._m_rest

            if self.goes_on:
                pass
                self._m_rest = Freezepack.Row(self.shape, self.place - 1, self.longer, self._io, self, self._root)

            return getattr(self, '_m_rest', None)

        @property
        def value(self):
            if hasattr(self, '_m_value'):
                return self._m_value

            self._m_value = (self.rest.value if self.goes_on else self.product)
            return getattr(self, '_m_value', None)


    class Shape(KaitaiStruct):
        def __init__(self, _io, _parent=None, _root=None):
            super(Freezepack.Shape, self).__init__(_io)
            self._parent = _parent
            self._root = _root
            self._read()

        def _read(self):
            self.rank = Freezepack.Varint(self._io, self, self._root)
            self.dimensions = []
            for i in range(self.rank.value):
                self.dimensions.append(Freezepack.Varint(self._io, self, self._root))



        def _fetch_instances(self):
            pass
            self.rank._fetch_instances()
            for i in range(len(self.dimensions)):
                pass
                self.dimensions[i]._fetch_instances()



    class Tensor(KaitaiStruct):
        def __init__(self, place, _io, _parent=None, _root=None):
            super(Freezepack.Tensor, self).__init__(_io)
            self._parent = _parent
            self._root = _root
            self.place = place
            self._read()

        def _read(self):
            self.tensor_kind = Freezepack.Varint(self._io, self, self._root)
            self.name = Freezepack.Name(self._io, self, self._root)
            if self.is_alias:
                pass
                self.alias_target = Freezepack.Varint(self._io, self, self._root)

            if (not (self.is_alias)):
                pass
                self.shape = Freezepack.Shape(self._io, self, self._root)

            if  (((not (self.is_alias))) and (self.kind.is_seeded)) :
                pass
                self.scale = self._io.read_u4le()

            if  (((not (self.is_alias))) and (self.kind.is_seeded) and (self.kind.draw_kind == Freezepack.Draw.truncated_normal)) :
                pass
                self.tail = self._io.read_u4le()

            if  (((not (self.is_alias))) and (self.kind.has_stream)) :
                pass
                self.stream = Freezepack.Varint(self._io, self, self._root)

            if (not (self.is_alias)):
                pass
                self.value_parameter = self._io.read_bytes(self.kind.parameter_size)

            self.units = []
            for i in range(self.stored_units):
                self.units.append(Freezepack.Unit(i, self._io, self, self._root))



        def _fetch_instances(self):
            pass
            self.tensor_kind._fetch_instances()
            self.name._fetch_instances()
            if self.is_alias:
                pass
                self.alias_target._fetch_instances()

            if (not (self.is_alias)):
                pass
                self.shape._fetch_instances()

            if  (((not (self.is_alias))) and (self.kind.is_seeded)) :
                pass

            if  (((not (self.is_alias))) and (self.kind.is_seeded) and (self.kind.draw_kind == Freezepack.Draw.truncated_normal)) :
                pass

            if  (((not (self.is_alias))) and (self.kind.has_stream)) :
                pass
                self.stream._fetch_instances()

            if (not (self.is_alias)):
                pass

            for i in range(len(self.units)):
                pass
                self.units[i]._fetch_instances()

            _ = self.longest_row
            if hasattr(self, '_m_longest_row'):
                pass
                self._m_longest_row._fetch_instances()

            _ = self.shape_product
            if hasattr(self, '_m_shape_product'):
                pass
                self._m_shape_product._fetch_instances()


        @property
        def begins_run(self):
            """Whether a run begins with this tensor, and its section stands here."""
            if hasattr(self, '_m_begins_run'):
                return self._m_begins_run

            self._m_begins_run =  ((self.may_join) and ((not (self.joins_run)))) 
            return getattr(self, '_m_begins_run', None)

        @property
        def is_alias(self):
            if hasattr(self, '_m_is_alias'):
                return self._m_is_alias

            self._m_is_alias = self.tensor_kind.value == 0
            return getattr(self, '_m_is_alias', None)

        @property
        def joins_run(self):
            if hasattr(self, '_m_joins_run'):
                return self._m_joins_run

            self._m_joins_run =  ((self.may_join) and (self.tensors_before > 0) and (self.tensors_before < 255) and (self.positions_before + self.size <= 1048576)) 
            return getattr(self, '_m_joins_run', None)

        @property
        def kind(self):
            if hasattr(self, '_m_kind'):
                return self._m_kind

            if (not (self.is_alias)):
                pass
                self._m_kind = self._parent.kinds[self.tensor_kind.value - 1]

            return getattr(self, '_m_kind', None)

        @property
        def longest_row(self):
            if hasattr(self, '_m_longest_row'):
                return self._m_longest_row

            if (not (self.is_alias)):
                pass
                self._m_longest_row = Freezepack.Row(self.shape, self.shape.rank.value - 1, 1, self._io, self, self._root)

            return getattr(self, '_m_longest_row', None)

        @property
        def may_join(self):
            """Whether it shares a section with the tensors before, if there is room."""
            if hasattr(self, '_m_may_join'):
                return self._m_may_join

            self._m_may_join =  (((not (self.is_alias))) and (self.kind.is_joint) and (self.size <= 1048576)) 
            return getattr(self, '_m_may_join', None)

        @property
        def positions_before(self):
            """Positions of that run."""
            if hasattr(self, '_m_positions_before'):
                return self._m_positions_before

            self._m_positions_before = (self._parent.tensors[self.place - 1].run_positions if self.place > 0 else 0)
            return getattr(self, '_m_positions_before', None)

        @property
        def run_positions(self):
            """Positions of that run."""
            if hasattr(self, '_m_run_positions'):
                return self._m_run_positions

            self._m_run_positions = (self.positions_before + self.size if self.joins_run else (self.size if self.begins_run else self.positions_before))
            return getattr(self, '_m_run_positions', None)

        @property
        def run_tensors(self):
            """Tensors of the run that is open behind this one."""
            if hasattr(self, '_m_run_tensors'):
                return self._m_run_tensors

            self._m_run_tensors = (self.tensors_before + 1 if self.joins_run else (1 if self.begins_run else self.tensors_before))
            return getattr(self, '_m_run_tensors', None)

        @property
        def shape_product(self):
            if hasattr(self, '_m_shape_product'):
                return self._m_shape_product

            if (not (self.is_alias)):
                pass
                self._m_shape_product = Freezepack.Product(self.shape, 0, self._io, self, self._root)

            return getattr(self, '_m_shape_product', None)

        @property
        def size(self):
            """Elements of the tensor."""
            if hasattr(self, '_m_size'):
                return self._m_size

            if (not (self.is_alias)):
                pass
                self._m_size = self.shape_product.value

            return getattr(self, '_m_size', None)

        @property
        def stored_units(self):
            """Units of which the table stores something."""
            if hasattr(self, '_m_stored_units'):
                return self._m_stored_units

            self._m_stored_units = (0 if  ((self.is_alias) or (self.kind.units_store_nothing) or ( ((self.may_join) and ((not (self.begins_run)))) ))  else self.unit_count)
            return getattr(self, '_m_stored_units', None)

        @property
        def tensors_before(self):
            """Tensors of the run that is open before this one."""
            if hasattr(self, '_m_tensors_before'):
                return self._m_tensors_before

            self._m_tensors_before = (self._parent.tensors[self.place - 1].run_tensors if self.place > 0 else 0)
            return getattr(self, '_m_tensors_before', None)

        @property
        def unit_count(self):
            if hasattr(self, '_m_unit_count'):
                return self._m_unit_count

            if (not (self.is_alias)):
                pass
                self._m_unit_count = ((self.size + self.unit_positions) - 1) // self.unit_positions

            return getattr(self, '_m_unit_count', None)

        @property
        def unit_positions(self):
            """Positions of every unit but the last."""
            if hasattr(self, '_m_unit_positions'):
                return self._m_unit_positions

            if (not (self.is_alias)):
                pass
                self._m_unit_positions = (1048576 if self.size == 0 else (1048576 // self.longest_row.value) * self.longest_row.value)

            return getattr(self, '_m_unit_positions', None)

        @property
        def whole_length(self):
            """Bytes in the payload if units store nothing."""
            if hasattr(self, '_m_whole_length'):
                return self._m_whole_length

            self._m_whole_length = (0 if  ((self.is_alias) or (self.kind.index == Freezepack.IndexCodec.none) or (self.kind.is_joint) or (self.kind.values == Freezepack.ValueCodec.constant))  else self.size * self.kind.element_size)
            return getattr(self, '_m_whole_length', None)


    class TensorSections(KaitaiStruct):
        def __init__(self, owner, _io, _parent=None, _root=None):
            super(Freezepack.TensorSections, self).__init__(_io)
            self._parent = _parent
            self._root = _root
            self.owner = owner
            self._read()

        def _read(self):
            if self.owner.stored_units == 0:
                pass
                self.whole = self._io.read_bytes(self.owner.whole_length)

            self.units = []
            for i in range(self.owner.stored_units):
                self.units.append(Freezepack.UnitSections(self.owner.units[i], self._io, self, self._root))



        def _fetch_instances(self):
            pass
            if self.owner.stored_units == 0:
                pass

            for i in range(len(self.units)):
                pass
                self.units[i]._fetch_instances()



    class Text(KaitaiStruct):
        def __init__(self, _io, _parent=None, _root=None):
            super(Freezepack.Text, self).__init__(_io)
            self._parent = _parent
            self._root = _root
            self._read()

        def _read(self):
            self.length = Freezepack.Varint(self._io, self, self._root)
            self.value = (self._io.read_bytes(self.length.value)).decode(u"UTF-8")


        def _fetch_instances(self):
            pass
            self.length._fetch_instances()


    class Unit(KaitaiStruct):
        def __init__(self, number, _io, _parent=None, _root=None):
            super(Freezepack.Unit, self).__init__(_io)
            self._parent = _parent
            self._root = _root
            self.number = number
            self._read()

        def _read(self):
            if  ((self._parent.kind.index != Freezepack.IndexCodec.all) and ((not (self._parent.kind.is_joint)))) :
                pass
                self.count = Freezepack.Varint(self._io, self, self._root)

            if  ((self.is_mixed) and (self._parent.kind.index_has_length)) :
                pass
                self.index_length = Freezepack.Varint(self._io, self, self._root)

            if  ((self._parent.kind.is_joint) or ( ((self.trained > 0) and (self._parent.kind.values_have_length)) )) :
                pass
                self.values_length = Freezepack.Varint(self._io, self, self._root)

            if  (((not (self._root.one_checksum))) and (self.index_size + self.values_size > 0)) :
                pass
                self.unit_checksum = self._io.read_u4le()



        def _fetch_instances(self):
            pass
            if  ((self._parent.kind.index != Freezepack.IndexCodec.all) and ((not (self._parent.kind.is_joint)))) :
                pass
                self.count._fetch_instances()

            if  ((self.is_mixed) and (self._parent.kind.index_has_length)) :
                pass
                self.index_length._fetch_instances()

            if  ((self._parent.kind.is_joint) or ( ((self.trained > 0) and (self._parent.kind.values_have_length)) )) :
                pass
                self.values_length._fetch_instances()

            if  (((not (self._root.one_checksum))) and (self.index_size + self.values_size > 0)) :
                pass


        @property
        def index_size(self):
            if hasattr(self, '_m_index_size'):
                return self._m_index_size

            self._m_index_size = (0 if (not (self.is_mixed)) else (self.index_length.value if self._parent.kind.index_has_length else ((self.positions + 7) // 8 if self._parent.kind.index == Freezepack.IndexCodec.bitmap else 0)))
            return getattr(self, '_m_index_size', None)

        @property
        def is_mixed(self):
            if hasattr(self, '_m_is_mixed'):
                return self._m_is_mixed

            self._m_is_mixed =  ((self.trained > 0) and (self.trained < self.positions)) 
            return getattr(self, '_m_is_mixed', None)

        @property
        def positions(self):
            if hasattr(self, '_m_positions'):
                return self._m_positions

            self._m_positions = (self._parent.unit_positions if self.number < self._parent.unit_count - 1 else self._parent.size - self.number * self._parent.unit_positions)
            return getattr(self, '_m_positions', None)

        @property
        def trained(self):
            """Of a run nothing is known before it is decoded."""
            if hasattr(self, '_m_trained'):
                return self._m_trained

            self._m_trained = (self.positions if self._parent.kind.index == Freezepack.IndexCodec.all else (0 if self._parent.kind.is_joint else self.count.value))
            return getattr(self, '_m_trained', None)

        @property
        def values_size(self):
            if hasattr(self, '_m_values_size'):
                return self._m_values_size

            self._m_values_size = (self.values_length.value if self._parent.kind.is_joint else (0 if  ((self.trained == 0) or (self._parent.kind.values == Freezepack.ValueCodec.constant))  else (self.values_length.value if self._parent.kind.values_have_length else self.trained * self._parent.kind.element_size)))
            return getattr(self, '_m_values_size', None)


    class UnitSections(KaitaiStruct):
        def __init__(self, unit, _io, _parent=None, _root=None):
            super(Freezepack.UnitSections, self).__init__(_io)
            self._parent = _parent
            self._root = _root
            self.unit = unit
            self._read()

        def _read(self):
            self.index = self._io.read_bytes(self.unit.index_size)
            self.values = self._io.read_bytes(self.unit.values_size)


        def _fetch_instances(self):
            pass


    class Varint(KaitaiStruct):
        """Unsigned LEB128."""
        def __init__(self, _io, _parent=None, _root=None):
            super(Freezepack.Varint, self).__init__(_io)
            self._parent = _parent
            self._root = _root
            self._read()

        def _read(self):
            self.groups = []
            i = 0
            while True:
                _ = Freezepack.VarintGroup(self._io, self, self._root)
                self.groups.append(_)
                if (not (_.has_next)):
                    break
                i += 1


        def _fetch_instances(self):
            pass
            for i in range(len(self.groups)):
                pass
                self.groups[i]._fetch_instances()


        @property
        def last(self):
            if hasattr(self, '_m_last'):
                return self._m_last

            self._m_last = len(self.groups) - 1
            return getattr(self, '_m_last', None)

        @property
        def value(self):
            if hasattr(self, '_m_value'):
                return self._m_value

            self._m_value = ((((((((self.groups[0].low + (self.groups[1].low << 7 if self.last >= 1 else 0)) + (self.groups[2].low << 14 if self.last >= 2 else 0)) + (self.groups[3].low << 21 if self.last >= 3 else 0)) + (self.groups[4].low << 28 if self.last >= 4 else 0)) + (self.groups[5].low << 35 if self.last >= 5 else 0)) + (self.groups[6].low << 42 if self.last >= 6 else 0)) + (self.groups[7].low << 49 if self.last >= 7 else 0)) + (self.groups[8].low << 56 if self.last >= 8 else 0)) + (self.groups[9].low << 63 if self.last >= 9 else 0)
            return getattr(self, '_m_value', None)


    class VarintGroup(KaitaiStruct):
        def __init__(self, _io, _parent=None, _root=None):
            super(Freezepack.VarintGroup, self).__init__(_io)
            self._parent = _parent
            self._root = _root
            self._read()

        def _read(self):
            self.byte = self._io.read_u1()


        def _fetch_instances(self):
            pass

        @property
        def has_next(self):
            if hasattr(self, '_m_has_next'):
                return self._m_has_next

            self._m_has_next = self.byte & 128 != 0
            return getattr(self, '_m_has_next', None)

        @property
        def low(self):
            if hasattr(self, '_m_low'):
                return self._m_low

            self._m_low = self.byte & 127
            return getattr(self, '_m_low', None)


    @property
    def is_coded(self):
        if hasattr(self, '_m_is_coded'):
            return self._m_is_coded

        self._m_is_coded = self.version == 129
        return getattr(self, '_m_is_coded', None)

    @property
    def one_checksum(self):
        if hasattr(self, '_m_one_checksum'):
            return self._m_one_checksum

        self._m_one_checksum = self.payload_length.value <= 65536
        return getattr(self, '_m_one_checksum', None)


