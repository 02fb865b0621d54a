meta:
  id: freezepack
  title: freezepack, neural networks as base plus patch
  file-extension: fpk
  license: Apache-2.0
  ks-version: "0.10"
  endian: le
doc: |
  Format version 1. The text is freezepack-1.md; the numbers are those of ids.toml. This
  description finds every field and every section of a correct file. It does not check the rules
  (order, ranges, shortest varints, checksums, digests), except the magic and the version. The
  fields of a coded header (header.md) are not in places of their own, so it is one piece here.

  Names of fields are those of the text. What is computed and not stored is an instance.
doc-ref: freezepack-1.md
seq:
  - id: magic
    contents: [0x89, "FPK"]
  - id: version
    type: u1
    valid:
      any-of: [1, 129]
  - id: features
    type: varint
    if: not is_coded
  - id: header_length
    type: varint
  - id: payload_length
    type: varint
    if: not is_coded
  - id: checksum
    type: u4
  - id: header
    type: header
    size: header_length.value
    if: not is_coded
  - id: payload
    type: payload
    size: payload_length.value
    if: not is_coded
  - id: coded_header
    type: coded_header
    size: header_length.value
    if: is_coded
  - id: sections
    size-eos: true
    if: is_coded
    doc: The payload of a file with a coded header.
instances:
  is_coded:
    value: version == 129
  one_checksum:
    value: payload_length.value <= 65536
types:
  varint:
    doc: Unsigned LEB128.
    seq:
      - id: groups
        type: varint_group
        repeat: until
        repeat-until: not _.has_next
    instances:
      last:
        value: groups.size - 1
      value:
        value: >-
          groups[0].low
          + (last >= 1 ? groups[1].low << 7 : 0)
          + (last >= 2 ? groups[2].low << 14 : 0)
          + (last >= 3 ? groups[3].low << 21 : 0)
          + (last >= 4 ? groups[4].low << 28 : 0)
          + (last >= 5 ? groups[5].low << 35 : 0)
          + (last >= 6 ? groups[6].low << 42 : 0)
          + (last >= 7 ? groups[7].low << 49 : 0)
          + (last >= 8 ? groups[8].low << 56 : 0)
          + (last >= 9 ? groups[9].low << 63 : 0)
  varint_group:
    seq:
      - id: byte
        type: u1
    instances:
      has_next:
        value: (byte & 0x80) != 0
      low:
        value: byte & 0x7f
  text:
    seq:
      - id: length
        type: varint
      - id: value
        type: str
        encoding: UTF-8
        size: length.value

  coded_header:
    seq:
      - id: stream
        size: _parent.header_length.value - 8
      - id: digest
        type: u8
  header:
    seq:
      - id: metadata_count
        type: varint
      - id: metadata
        type: metadata_entry
        repeat: expr
        repeat-expr: metadata_count.value
      - id: base_count
        type: varint
      - id: bases
        type: base
        repeat: expr
        repeat-expr: base_count.value
      - id: kind_count
        type: varint
      - id: kinds
        type: kind
        repeat: expr
        repeat-expr: kind_count.value
      - id: tensor_count
        type: varint
      - id: tensors
        type: tensor(_index)
        repeat: expr
        repeat-expr: tensor_count.value
      - id: digests
        type: u8
        repeat: eos
        doc: One for the whole model, or one for each record that is not an alias.

  metadata_entry:
    seq:
      - id: metadata_key
        type: varint
      - id: free_key
        type: text
        if: metadata_key.value == 0
      - id: metadata_value
        type: text

  base:
    seq:
      - id: base_kind
        type: varint
      - id: base_seed
        type: varint
        if: kind == base_kind::seed
      - id: base_digest
        type: u8
        if: kind != base_kind::seed
      - id: base_hint
        type: text
        if: kind != base_kind::seed
    instances:
      kind:
        value: base_kind.value
        enum: base_kind

  kind:
    seq:
      - id: dtype
        type: varint
      - id: kind_base
        type: varint
      - id: draw
        type: varint
        if: is_seeded
      - id: kind_flags
        type: varint
      - id: index_codec
        type: varint
      - id: mask_base
        type: varint
        if: index == index_codec::seeded or index == index_codec::free
      - id: value_codec
        type: varint
    instances:
      element:
        value: dtype.value
        enum: dtype
      element_size:
        value: >-
          element == dtype::complex128 ? 16
          : element == dtype::float64 or element == dtype::int64 or element == dtype::uint64
            or element == dtype::complex64 ? 8
          : element == dtype::float32 or element == dtype::int32 or element == dtype::uint32 ? 4
          : element == dtype::float16 or element == dtype::bfloat16 or element == dtype::int16
            or element == dtype::uint16 ? 2
          : 1
      is_seeded:
        value: kind_base.value > 0 and _parent.bases[kind_base.value - 1].kind == base_kind::seed
      draw_kind:
        value: draw.value
        enum: draw
        if: is_seeded
      has_stream:
        value: (kind_flags.value & 1) == 1
      index:
        value: index_codec.value
        enum: index_codec
      values:
        value: value_codec.value
        enum: value_codec
      index_has_length:
        value: >-
          index == index_codec::gaps or index == index_codec::hazard or index == index_codec::free
          or index == index_codec::hazard_turned or index == index_codec::probit
        doc: Whether the length of an index section is stored.
      values_have_length:
        value: values != value_codec::raw and values != value_codec::constant
        doc: Whether the length of a value section is stored.
      parameter_size:
        value: >-
          values == value_codec::constant ? element_size : values == value_codec::grid ? 2 : 0
      units_store_nothing:
        doc: All about the units follows from the kind, however many there are.
        value: >-
          index == index_codec::none or (index == index_codec::all and not values_have_length
          and (_root.one_checksum or values == value_codec::constant))
      is_joint:
        doc: Whether index and values lie in a section of a run.
        value: index == index_codec::joint

  tensor:
    params:
      - id: place
        type: s4
    seq:
      - id: tensor_kind
        type: varint
      - id: name
        type: name
      - id: alias_target
        type: varint
        if: is_alias
      - id: shape
        type: shape
        if: not is_alias
      - id: scale
        type: u4
        if: not is_alias and kind.is_seeded
      - id: tail
        type: u4
        if: not is_alias and kind.is_seeded and kind.draw_kind == draw::truncated_normal
      - id: stream
        type: varint
        if: not is_alias and kind.has_stream
      - id: value_parameter
        size: kind.parameter_size
        if: not is_alias
      - id: units
        type: unit(_index)
        repeat: expr
        repeat-expr: stored_units
    instances:
      is_alias:
        value: tensor_kind.value == 0
      kind:
        value: _parent.kinds[tensor_kind.value - 1]
        if: not is_alias
      shape_product:
        type: product(shape, 0)
        if: not is_alias
      size:
        doc: Elements of the tensor.
        value: shape_product.value
        if: not is_alias
      longest_row:
        type: row(shape, shape.rank.value - 1, 1)
        if: not is_alias
      unit_positions:
        doc: Positions of every unit but the last.
        value: "size == 0 ? 1048576 : 1048576 / longest_row.value * longest_row.value"
        if: not is_alias
      unit_count:
        value: (size + unit_positions - 1) / unit_positions
        if: not is_alias
      may_join:
        doc: Whether it shares a section with the tensors before, if there is room.
        value: not is_alias and kind.is_joint and size <= 1048576
      tensors_before:
        doc: Tensors of the run that is open before this one.
        value: "place > 0 ? _parent.tensors[place - 1].run_tensors.as<s4> : 0"
      positions_before:
        doc: Positions of that run.
        value: "place > 0 ? _parent.tensors[place - 1].run_positions.as<u8> : 0"
      joins_run:
        value: >-
          may_join and tensors_before > 0 and tensors_before < 255
          and positions_before + size <= 1048576
      begins_run:
        doc: Whether a run begins with this tensor, and its section stands here.
        value: may_join and not joins_run
      run_tensors:
        doc: Tensors of the run that is open behind this one.
        value: "joins_run ? tensors_before + 1 : begins_run ? 1 : tensors_before"
      run_positions:
        doc: Positions of that run.
        value: "joins_run ? positions_before + size : begins_run ? size : positions_before"
      stored_units:
        doc: Units of which the table stores something.
        value: >-
          is_alias or kind.units_store_nothing or (may_join and not begins_run) ? 0 : unit_count
      whole_length:
        doc: Bytes in the payload if units store nothing.
        value: >-
          is_alias or kind.index == index_codec::none or kind.is_joint
          or kind.values == value_codec::constant ? 0 : size * kind.element_size
  shape:
    seq:
      - id: rank
        type: varint
      - id: dimensions
        type: varint
        repeat: expr
        repeat-expr: rank.value
  product:
    doc: Product of the dimensions from `place` on; takes no bytes.
    params:
      - id: shape
        type: shape
      - id: place
        type: s4
    instances:
      rest:
        type: product(shape, place + 1)
        if: place < shape.rank.value
      value:
        value: "place < shape.rank.value ? shape.dimensions[place].value * rest.value.as<u8> : 1"
  row:
    doc: |
      Longest product of trailing dimensions, never the first, of at most 2^20; takes no bytes.
      `product` is that of the dimensions behind `place`.
    params:
      - id: shape
        type: shape
      - id: place
        type: s4
      - id: product
        type: u8
    instances:
      longer:
        value: "place < 1 ? 0 : product * shape.dimensions[place].value"
      goes_on:
        value: place >= 1 and longer <= 1048576
      rest:
        type: row(shape, place - 1, longer)
        if: goes_on
      value:
        value: "goes_on ? rest.value.as<u8> : product"

  unit:
    params:
      - id: number
        type: s4
    seq:
      - id: count
        type: varint
        if: _parent.kind.index != index_codec::all and not _parent.kind.is_joint
      - id: index_length
        type: varint
        if: is_mixed and _parent.kind.index_has_length
      - id: values_length
        type: varint
        if: _parent.kind.is_joint or (trained > 0 and _parent.kind.values_have_length)
      - id: unit_checksum
        type: u4
        if: not _root.one_checksum and index_size + values_size > 0
    instances:
      positions:
        value: >-
          number < _parent.unit_count - 1 ? _parent.unit_positions
          : _parent.size - number * _parent.unit_positions
      trained:
        doc: Of a run nothing is known before it is decoded.
        value: >-
          _parent.kind.index == index_codec::all ? positions
          : _parent.kind.is_joint ? 0 : count.value
      is_mixed:
        value: trained > 0 and trained < positions
      index_size:
        value: >-
          not is_mixed ? 0
          : _parent.kind.index_has_length ? index_length.value
          : _parent.kind.index == index_codec::bitmap ? (positions + 7) / 8
          : 0
      values_size:
        value: >-
          _parent.kind.is_joint ? values_length.value
          : trained == 0 or _parent.kind.values == value_codec::constant ? 0
          : _parent.kind.values_have_length ? values_length.value
          : trained * _parent.kind.element_size

  name:
    seq:
      - id: shared
        type: varint
        doc: Bytes of the preceding name that this one begins with.
      - id: pieces
        type: name_piece
        repeat: until
        repeat-until: _.is_last
  name_piece:
    doc: |
      A character of UTF-8, or a byte that stands for a word or an ending of ids.toml; 0x00 and
      endings end the name.
    seq:
      - id: code
        type: u1
      - id: following
        size: "code < 0xe0 ? 1 : code < 0xf0 ? 2 : 3"
        if: code >= 0xc0
    instances:
      is_last:
        value: code == 0 or (code >= 0xa0 and code < 0xc0)

  payload:
    seq:
      - id: tensors
        type: tensor_sections(_root.header.tensors[_index])
        repeat: expr
        repeat-expr: _root.header.tensor_count.value
  tensor_sections:
    params:
      - id: owner
        type: tensor
    seq:
      - id: whole
        size: owner.whole_length
        if: owner.stored_units == 0
        doc: All units of a tensor whose units store nothing.
      - id: units
        type: unit_sections(owner.units[_index])
        repeat: expr
        repeat-expr: owner.stored_units
  unit_sections:
    params:
      - id: unit
        type: unit
    seq:
      - id: index
        size: unit.index_size
      - id: values
        size: unit.values_size

enums:
  dtype:
    1: float32
    2: float16
    3: bfloat16
    4: float64
    5: float8_e4m3fn
    6: float8_e5m2
    7: int8
    8: int16
    9: int32
    10: int64
    11: uint8
    12: uint16
    13: uint32
    14: uint64
    15: bool
    16: complex64
    17: complex128
  draw:
    0: constant
    1: uniform
    2: normal
    3: truncated_normal
    4: sign
  base_kind:
    1: seed
    2: file
    3: pack
  index_codec:
    0: none
    1: all
    2: bitmap
    3: gaps
    4: seeded
    5: hazard
    6: base_top
    7: free
    8: hazard_turned
    9: probit
    15: joint
  value_codec:
    0: raw
    1: planes
    2: constant
    3: float
    4: grid
    5: bf16
    6: fp16
  metadata_key:
    1: architecture
    2: architecture_arguments
    3: freezing_rate
    4: score
    5: seeds
    6: configuration_hash
    7: accuracy
    8: licence
