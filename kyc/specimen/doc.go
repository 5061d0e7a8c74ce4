// Package specimen is a press for fictional identity documents whose truth is known.
//
// It draws an invented state's driver's licence and identification card (front, and back with an AAMVA
// PDF417), a passport data page (TD3) and a passport card (TD1 on its back), each around a given portrait,
// and renders them as a phone would photograph them. Demo, tests and accuracy runs stand on it.
//
// The fiction is in the content: the state does not exist, its issuer number is nobody's, and RandomPerson
// uses names that no register holds. The design copies no real document, and the press has no means to
// imitate one: no state's name, seal, colours or security feature can be set from outside.
//
// Everything is a function of its arguments. Where chance is wanted, a seed or a *rand.Rand comes in, and the
// same seed gives the same bytes on the same architecture.
package specimen
