package face

// void kycd_blas_one_thread(void);
import "C"

// UseOneThreadPerEncoder keeps OpenBLAS, for the whole process, from splitting each small matrix product over all
// cores: an engine runs one encoder per core already, and the threads of one would wait for those of the other.
func UseOneThreadPerEncoder() { C.kycd_blas_one_thread() }
