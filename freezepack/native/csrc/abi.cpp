// The number of the C interface. Raise it, here and in freezepack/native/__init__.py, whenever the
// arguments or the meaning of an existing function change; a new function needs no new number.
#include "common.h"

FPK_API int32_t fpk_abi() { return 3; }
