package face

// void kycd_blas_threads(int threads);
import "C"

// UseOneThreadPerEncoder keeps OpenBLAS, for the whole process, from splitting each small matrix product over all
// cores: an engine runs one encoder per core already, and the threads of one would wait for those of the other
// (BenchmarkEncoders compares).
func UseOneThreadPerEncoder() { blasThreads(1) }

func blasThreads(n int) { C.kycd_blas_threads(C.int(n)) }
