package assembly

import (
	"errors"

	"github.com/trueup/trueup/pkg/config"
	"github.com/trueup/trueup/pkg/fix"
)

// Keep is what outcomes tell of a pair's rows.
func (f *File) Keep(p *Pair) fix.Keep {
	images, _ := fix.ParseImages(p.Images) // validate has seen it
	return fix.Keep{Images: images, Mask: p.Mask, DigestKey: []byte(f.Fixer.DigestKey)}
}

// validateKeep checks what can be checked without the tables.
func (f *File) validateKeep(p *Pair) error {
	if _, err := fix.ParseImages(p.Images); err != nil {
		return config.At("images", err)
	}
	if len(p.Mask) > 0 && f.Fixer.DigestKey == "" {
		return config.At("mask", errors.New("masked values could be guessed from their digests; set fixer.digest_key to a secret"))
	}
	return nil
}
