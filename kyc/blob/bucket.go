package blob

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/aws/smithy-go"
	"gocloud.dev/blob"
	_ "gocloud.dev/blob/s3blob"
	"gocloud.dev/gcerrors"
)

// Bucket is a Store in an S3 bucket. S3 answers a write only after it is durable.
type Bucket struct{ bucket *blob.Bucket }

// openBucket opens a bucket without a request; Ping is the test of whether it can be reached.
func openBucket(ctx context.Context, address *url.URL) (*Bucket, error) {
	query := address.Query()
	if prefix := query.Get("prefix"); prefix != "" {
		trimmed := strings.TrimSuffix(prefix, "/")
		if !ValidKey(trimmed) {
			return nil, fmt.Errorf("%w: the bucket's prefix has signs that keys may not have", ErrConfig)
		}
		query.Set("prefix", trimmed+"/")
	}
	if query.Has("endpoint") {
		for key, value := range map[string]string{
			"use_path_style": "true", "request_checksum_calculation": "when_required",
			"response_checksum_validation": "when_required", "region": "us-east-1",
		} {
			if !query.Has(key) {
				query.Set(key, value)
			}
		}
	}
	complete := *address
	complete.RawQuery = query.Encode()
	bucket, err := blob.OpenBucket(ctx, complete.String())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	return &Bucket{bucket: bucket}, nil
}

// Put implements Store.
func (b *Bucket) Put(ctx context.Context, key string, sealed []byte) error {
	if err := check(ctx, key); err != nil {
		return err
	}
	return b.failure(b.bucket.Upload(ctx, key, bytes.NewReader(sealed), &blob.WriterOptions{
		ContentType: "application/octet-stream", // sealed bytes say nothing about what they are
	}))
}

// Get implements Store.
func (b *Bucket) Get(ctx context.Context, key string, limit int64) ([]byte, error) {
	if err := check(ctx, key); err != nil {
		return nil, err
	}
	reader, err := b.bucket.NewReader(ctx, key, nil)
	if err != nil {
		return nil, b.failure(err)
	}
	defer reader.Close()
	if reader.Size() > limit {
		return nil, ErrTooLarge
	}
	sealed, err := io.ReadAll(io.LimitReader(reader, limit+1))
	switch {
	case err != nil:
		return nil, b.failure(err)
	case int64(len(sealed)) > limit:
		return nil, ErrTooLarge
	case int64(len(sealed)) < reader.Size():
		return nil, unavailable(io.ErrUnexpectedEOF)
	}
	return sealed, nil
}

// Delete implements Store.
func (b *Bucket) Delete(ctx context.Context, key string) error {
	if err := check(ctx, key); err != nil {
		return err
	}
	return ignoreAbsent(b.failure(b.bucket.Delete(ctx, key)))
}

// DeletePrefix implements Store.
func (b *Bucket) DeletePrefix(ctx context.Context, prefix string) error {
	if err := check(ctx, prefix); err != nil {
		return err
	}
	objects := b.bucket.List(&blob.ListOptions{Prefix: prefix + "/"})
	for {
		object, err := objects.Next(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return b.failure(err)
		}
		if err := ignoreAbsent(b.failure(b.bucket.Delete(ctx, object.Key))); err != nil {
			return err
		}
	}
}

// Ping implements Store: it asks for the list of keys, which also shows that the bucket exists.
func (b *Bucket) Ping(ctx context.Context) error {
	reachable, err := b.bucket.IsAccessible(ctx)
	if err != nil {
		return b.failure(err)
	}
	if !reachable {
		return fmt.Errorf("%w: there is no such bucket", ErrUnavailable)
	}
	return nil
}

// Close implements Store.
func (b *Bucket) Close() error { return b.bucket.Close() }

// failure tells a missing object from a missing bucket: to call the second ErrNotFound would make a mistake in the
// configuration look like an image that was never stored.
func (b *Bucket) failure(err error) error {
	if err == nil {
		return nil
	}
	var answer smithy.APIError
	noBucket := b.bucket.ErrorAs(err, &answer) && answer.ErrorCode() == "NoSuchBucket"
	if gcerrors.Code(err) == gcerrors.NotFound && !noBucket {
		return ErrNotFound
	}
	return unavailable(err)
}

func ignoreAbsent(err error) error {
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}
