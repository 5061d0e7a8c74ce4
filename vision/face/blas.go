package face

// #cgo CXXFLAGS: -std=c++17
// #cgo pkg-config: opencv4
// void kycd_blas_threads(int threads);
// void kycd_opencv_threads(int threads);
import "C"

// UseOneThreadPerEncoder keeps OpenBLAS and OpenCV, for the whole process, from splitting each small product and each small
// picture over all cores: an engine measures one image per core already, and the threads of one would wait for those of the
// other (BenchmarkEncoders compares).
func UseOneThreadPerEncoder() {
	blasThreads(1)
	C.kycd_opencv_threads(1)
}

func blasThreads(n int) { C.kycd_blas_threads(C.int(n)) }
