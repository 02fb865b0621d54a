"""The C++ twin of `reference`: the same bytes, some hundred times faster."""

from freezepack.codecs.hazard.predicted import Kernel

_KERNEL = Kernel("probit", 2)
encoder, decoder = _KERNEL.encoder, _KERNEL.decoder
encode, decode = _KERNEL.encode, _KERNEL.decode
