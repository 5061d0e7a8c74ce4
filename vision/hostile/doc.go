// Package hostile holds the tests of what people must not be able to do with a picture: end the sidecar, hang it,
// fill its memory, or get an answer without a code.
//
// KYCD_MUTATIONS says how many damaged pictures are tried, in this process and through the sidecar; make hostile
// tries 10,000.
package hostile
