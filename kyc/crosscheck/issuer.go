package crosscheck

// IssuingState compares the state that issued a card, as the number of the issuer in its barcode says (issuing_state), with the
// state of the address. The address is the printed one where there is one: that is what a forger changes. Licences are given to
// residents, so the two agree but for soldiers and diplomats; it is evidence and enters no similarity. Nothing is compared where a
// side lacks its state, as on travel documents.
func IssuingState(printed, encoded map[string]string) FieldMatch {
	address := clip(printed["state"])
	if address == "" {
		address = clip(encoded["state"])
	}
	m := FieldMatch{Field: "issuing_state"}
	var similarity float64
	m.Printed, m.Encoded, similarity = compareStates(address, clip(encoded["issuing_state"]))
	if m.Printed != "" && m.Encoded != "" {
		m.Compared, m.Similarity = true, similarity
	}
	return m
}
