package kyc

import (
	"context"
	"fmt"
	"slices"

	"kycd/ent"
	"kycd/ent/location"
	"kycd/kyc/auth"
)

// captureTypes lists location_capture_type_e.
func captureTypes() []string {
	return []string{"unknown", "front_doc_image_capture", "back_doc_image_capture", "selfie_image_capture"}
}

// ReadLocation gives where the latest picture of a kind was taken; "unknown" is of any kind. An erased session has no
// place any more.
func (s *Service) ReadLocation(ctx context.Context, p auth.Principal, kind SessionKind, id, captureType string) (Location, error) {
	if !slices.Contains(captureTypes(), captureType) {
		return Location{}, invalid("/location_capture_type_e", "is not a kind of picture")
	}
	row, err := find(ctx, s.db.Ent.Session, p, kind, id)
	if err != nil {
		return Location{}, err
	}
	if row.AnonymizedAt != nil {
		return Location{}, nil
	}
	query := s.db.Ent.Location.Query().Where(location.SessionID(id)).Order(ent.Desc(location.FieldCreatedAt, location.FieldID))
	if captureType != "unknown" {
		query.Where(location.CaptureTypeEQ(location.CaptureType(captureType)))
	}
	spot, err := query.First(ctx)
	if ent.IsNotFound(err) {
		return Location{}, notFound("location")
	}
	if err != nil {
		return Location{}, Internal(err)
	}
	v, err := s.vaultOf(ctx, row)
	if err != nil {
		return Location{}, err
	}
	var place Place
	if err := v.open("locations", "place", spot.ID, spot.PlaceSealed, &place); err != nil {
		return Location{}, err
	}
	return Location{
		IPAddress: place.IP, Device: iso6709(place), DeviceLatitude: &place.Latitude, DeviceLongitude: &place.Longitude,
	}, nil
}

// iso6709 writes a place in degrees (ISO 6709, Annex H): +48.8577+002.2950/.
func iso6709(p Place) string { return fmt.Sprintf("%+08.4f%+09.4f/", p.Latitude, p.Longitude) }
