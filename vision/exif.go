package vision

import "encoding/binary"

// exifOrientation reads the Orientation tag (0x0112) of IFD0 from a TIFF block: 1..8, or 0 where it is
// missing or the block makes no sense. Other tags are not looked at.
func exifOrientation(tiff []byte) int {
	if len(tiff) < 8 {
		return 0
	}
	var order binary.ByteOrder
	switch string(tiff[:4]) {
	case "II*\x00":
		order = binary.LittleEndian
	case "MM\x00*":
		order = binary.BigEndian
	default:
		return 0
	}
	at := int64(order.Uint32(tiff[4:]))
	if at < 8 || at+2 > int64(len(tiff)) {
		return 0
	}
	entries := int(order.Uint16(tiff[at:]))
	for i, entry := 0, int(at)+2; i < entries && entry+12 <= len(tiff); i, entry = i+1, entry+12 {
		const tagOrientation, typeShort = 0x0112, 3
		if order.Uint16(tiff[entry:]) != tagOrientation {
			continue
		}
		if order.Uint16(tiff[entry+2:]) != typeShort || order.Uint32(tiff[entry+4:]) != 1 {
			return 0
		}
		if o := int(order.Uint16(tiff[entry+8:])); o >= 1 && o <= 8 {
			return o
		}
		return 0
	}
	return 0
}
