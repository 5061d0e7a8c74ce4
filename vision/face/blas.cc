#include <opencv2/core/utility.hpp>

// Present only if the BLAS that was linked at run time is OpenBLAS.
extern "C" void openblas_set_num_threads(int threads) __attribute__((weak));

extern "C" void kycd_blas_threads(int threads) {
	if (openblas_set_num_threads) openblas_set_num_threads(threads);
}

extern "C" void kycd_opencv_threads(int threads) { cv::setNumThreads(threads); }
