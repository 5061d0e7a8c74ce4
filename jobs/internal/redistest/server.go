// Package redistest gives tests a Redis: one in the process, and a real one where there is one.
package redistest

import (
	"context"
	"net/url"
	"os"
	"strconv"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
)

// Each runs a test on a Redis inside the process and on the real one that KYCD_TEST_REDIS names. There it
// uses the database with the given number, which it empties before and after.
func Each(t *testing.T, database int, test func(t *testing.T, redisURL string)) {
	t.Run("embedded", func(t *testing.T) { test(t, Embedded(t)) })
	t.Run("redis", func(t *testing.T) { test(t, Real(t, database)) })
}

// Embedded starts a Redis inside the process and gives its URL.
func Embedded(t testing.TB) string {
	t.Helper()
	server := miniredis.NewMiniRedis()
	server.ClockTTL(true)
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	return "redis://" + server.Addr() + "/0"
}

// Real gives the URL of an empty database of the real Redis. Without one, the test is skipped, but not in CI.
func Real(t testing.TB, database int) string {
	t.Helper()
	given := os.Getenv("KYCD_TEST_REDIS")
	if given == "" {
		const why = "needs Redis: KYCD_TEST_REDIS=redis://host:port/0"
		if os.Getenv("CI") == "true" {
			t.Fatal(why)
		}
		t.Skip(why)
	}
	u, err := url.Parse(given)
	if err != nil {
		t.Fatal("KYCD_TEST_REDIS is not a URL")
	}
	u.Path = "/" + strconv.Itoa(database)
	client := Client(t, u.String())
	flush := func() {
		if err := client.FlushDB(context.Background()).Err(); err != nil {
			t.Errorf("flush: %v", err)
		}
	}
	flush()
	t.Cleanup(flush)
	return u.String()
}

// Client connects to a Redis for the length of a test.
func Client(t testing.TB, redisURL string) *redis.Client {
	t.Helper()
	options, err := redis.ParseURL(redisURL)
	if err != nil {
		t.Fatal(err)
	}
	options.ContextTimeoutEnabled = true
	client := redis.NewClient(options)
	t.Cleanup(func() { _ = client.Close() })
	return client
}
