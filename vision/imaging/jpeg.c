#include "jpeg.h"

#include <setjmp.h>
#include <stdio.h>

#include <jpeglib.h>

/* A progressive picture of thousands of scans takes minutes; cameras and editors write about ten. */
enum { most_scans = 200 };

struct kycd_escape {
  struct jpeg_error_mgr base;
  jmp_buf back;
};

static void leave(j_common_ptr info) { longjmp(((struct kycd_escape *)info->err)->back, 1); }

/* What the library finds odd is not written to the terminal. */
static void silent(j_common_ptr info, int level) {
  if (level < 0) info->err->num_warnings++;
}

static void count_scans(j_common_ptr info) {
  if (((j_decompress_ptr)info)->input_scan_number > most_scans) leave(info);
}

int kycd_jpeg_decode(const uint8_t *data, size_t size, int eighths, uint8_t *pix, int width, int height) {
  struct jpeg_decompress_struct info;
  struct kycd_escape escape;
  struct jpeg_progress_mgr progress = {.progress_monitor = count_scans};
  info.err = jpeg_std_error(&escape.base);
  escape.base.error_exit = leave;
  escape.base.emit_message = silent;
  if (setjmp(escape.back)) {
    jpeg_destroy_decompress(&info);
    return KYCD_JPEG_BROKEN;
  }
  jpeg_create_decompress(&info);
  info.progress = &progress;
  jpeg_mem_src(&info, data, size);
  jpeg_read_header(&info, TRUE);
  if (info.num_components != 1 && info.num_components != 3) {
    jpeg_destroy_decompress(&info);
    return KYCD_JPEG_UNSUITABLE;
  }
  info.scale_num = (unsigned)eighths;
  info.scale_denom = 8;
  info.out_color_space = JCS_EXT_BGR;
  /* What is scaled down needs no smooth colours between samples, and does without in less time. */
  info.do_fancy_upsampling = eighths == 8;
  jpeg_start_decompress(&info);
  if (info.output_width != (unsigned)width || info.output_height != (unsigned)height || info.output_components != 3) {
    jpeg_destroy_decompress(&info);
    return KYCD_JPEG_UNSUITABLE;
  }
  while (info.output_scanline < info.output_height) {
    JSAMPROW rows[4];
    for (unsigned i = 0; i < 4; i++) rows[i] = pix + (size_t)3 * width * (info.output_scanline + i);
    unsigned left = info.output_height - info.output_scanline;
    jpeg_read_scanlines(&info, rows, left < 4 ? left : 4);
  }
  jpeg_destroy_decompress(&info);
  return KYCD_JPEG_OK;
}
