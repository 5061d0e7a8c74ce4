#pragma once

#ifdef __cplusplus
extern "C" {
#endif

// dlib's face encoder, read from its file. NULL if the file cannot be read or holds another network; why then says what is wrong,
// to be freed by the caller.
void* kycd_resnet_new(const char* path, char** why);
void kycd_resnet_free(void* net);

// Encodes an aligned face, 150 × 150 pixels in the order R, G, B, as 128 values. One net serves one thread at a time. It gives 0;
// -1 if there is no memory.
int kycd_resnet_run(void* net, const unsigned char* rgb, float* encoding);

#ifdef __cplusplus
}
#endif
