package seal

import (
	"context"
	"errors"
	"testing"
	"unicode"
)

func TestTerm(t *testing.T) {
	ctx := context.Background()
	master := openMaster(t, keyOne)
	wrapped, indexer, err := master.NewIndexKey(ctx)
	if err != nil {
		t.Fatal(err)
	}
	reopened, err := master.OpenIndexer(ctx, wrapped)
	if err != nil {
		t.Fatal(err)
	}
	base := indexer.Term("tenant-a", "last_name", "sample")
	if len(base) != 2*termBytes {
		t.Errorf("term %q has %d digits", base, len(base))
	}
	if again := reopened.Term("tenant-a", "last_name", "sample"); again != base {
		t.Errorf("the stored key gives %s, not %s", again, base)
	}
	_, stranger, err := master.NewIndexKey(ctx)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]string{base: "base"}
	for name, term := range map[string]string{
		"other tenant":  indexer.Term("tenant-b", "last_name", "sample"),
		"other field":   indexer.Term("tenant-a", "first_name", "sample"),
		"other value":   indexer.Term("tenant-a", "last_name", "samples"),
		"shifted parts": indexer.Term("tenant-al", "ast_name", "sample"),
		"other key":     stranger.Term("tenant-a", "last_name", "sample"),
	} {
		if twin, found := seen[term]; found {
			t.Errorf("%s and %s share a term", name, twin)
		}
		seen[term] = name
	}
	if term := indexer.Term("tenant-a", "last_name", ""); term != "" {
		t.Errorf("the empty value has the term %q", term)
	}
	if _, err := openMaster(t, keyTwo).OpenIndexer(ctx, wrapped); !errors.Is(err, ErrUnreadable) {
		t.Errorf("another master opens the index key: %v", err)
	}
	dataKey, _, err := master.NewDataKey(ctx, []byte("session/1"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := master.OpenIndexer(ctx, dataKey); !errors.Is(err, ErrUnreadable) {
		t.Errorf("a data key serves as index key: %v", err)
	}
}

// The term's construction must never change: stored terms would no longer be found.
func TestTermIsFixed(t *testing.T) {
	indexer := &Indexer{key: make([]byte, keyBytes)}
	const want = "d8de10e5caf180125d08424fdce263b3" // also computed with another HMAC implementation
	if got := indexer.Term("tenant", "field", "value"); got != want {
		t.Errorf("term %s, want %s", got, want)
	}
}

func TestNormalName(t *testing.T) {
	for in, want := range map[string]string{
		"Ada":                      "ada",
		"  Ada   Lovelace-Sample ": "ada lovelace sample",
		"O'Brien":                  "obrien",
		"O’BRIEN":                  "obrien",
		"OʼBrien":                  "obrien",
		"José Ángel":               "jose angel",
		"Jose\u0301":               "jose",
		"Müller":                   "muller",
		"Straße":                   "strasse",
		"STRASSE":                  "strasse",
		"Łukasz Żółć":              "lukasz zolc",
		"Ørsted Æsir":              "orsted aesir",
		"İstanbul Işık":            "istanbul isik",
		"ＦＵＬＬ ｗｉｄｔｈ":               "full width",
		"ﬁne":                      "fine",
		"J.R. Smith, Jr.":          "j r smith jr",
		"Σίσυφος":                  "σισυφοσ",
		"王 小明":                     "王 小明",
		"'-. ":                     "",
		"":                         "",
		"Ada\xffB":                 "ada b",
	} {
		if got := NormalName(in); got != want {
			t.Errorf("NormalName(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestNormalNumber(t *testing.T) {
	for in, want := range map[string]string{
		"d123-4567 890": "D1234567890",
		"L898902C3<":    "L898902C3",
		" x é 1 ":       "XE1",
		"１２３ａ":          "123A",
		"straße 1":      "STRASSE1",
		"- / .":         "",
		"D\u200b1\x002": "D12",
	} {
		if got := NormalNumber(in); got != want {
			t.Errorf("NormalNumber(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzNormal(f *testing.F) {
	for _, seed := range []string{"O’Brien-Müller", "İ", "ßẞ", "ŉ", "ǰ", "\xff\x00", "𝔄𝔡𝔞", "Ⅷ", "ª"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		for name, normal := range map[string]func(string) string{"name": NormalName, "number": NormalNumber} {
			once := normal(in)
			if twice := normal(once); twice != once {
				t.Errorf("%s: %q became %q, then %q", name, in, once, twice)
			}
			for _, r := range once {
				if !unicode.IsLetter(r) && !unicode.IsDigit(r) && (r != ' ' || name == "number") {
					t.Errorf("%s: %q kept %q", name, in, r)
				}
			}
		}
	})
}
