package assembly

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/trueup/trueup/pkg/fix"
)

func TestWhatOutcomesKeepOfRows(t *testing.T) {
	t.Setenv("DIGEST_KEY", "s3cret:")
	f, err := Load(write(t, `
pairs:
  - {name: a}
  - {name: b, images: changed, mask: [email, note]}
  - {name: c, images: full, shards: [{source: x.c}]}
fixer: {digest_key: "${DIGEST_KEY}"}`))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []fix.Images{fix.NoImages, fix.ChangedImages, fix.FullImages} {
		if keep := f.Keep(&f.Pairs[i]); keep.Images != want || string(keep.DigestKey) != "s3cret:" {
			t.Errorf("pair %d keeps %s with key %q", i, keep.Images, keep.DigestKey)
		}
	}
	if mask := f.Keep(&f.Pairs[1]).Mask; !slices.Equal(mask, []string{"email", "note"}) {
		t.Errorf("mask %v", mask)
	}
	if text := fmt.Sprintf("%v %+v %#v", f, f, f); strings.Contains(text, "s3cret") {
		t.Error("the digest key shows")
	}
}

func TestAMaskWithoutASecretIsRefused(t *testing.T) {
	for text, want := range map[string]string{
		"pairs: [{name: a, mask: [b]}]":                        "fixer.digest_key",
		"pairs: [{name: a, images: all}]":                      "none, changed and full",
		"pairs: [{name: a}]\nfixer: {digest_key: \"${NONE}\"}": "digest_key",
	} {
		if _, err := Load(write(t, text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}
