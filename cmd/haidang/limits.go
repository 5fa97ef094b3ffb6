package main

import (
	"haidang/ingest"
	"haidang/web"
)

// LimitsConfig bounds what people and programs may do over HTTP: a number and
// seconds for each account or token, "6000:60"; empty is no limit.
type LimitsConfig struct {
	Reads   string `toml:"reads"`
	Writes  string `toml:"writes"`
	Exports string `toml:"exports"`
	Imports string `toml:"imports"`
	Uploads string `toml:"uploads"` // photos
	// Websockets is how many an account may have open at once; 0: no limit.
	Websockets int `toml:"websockets"`
	// Address is how many times as much one address may do, whoever asks.
	Address int `toml:"address"`
}

// A console that draws itself anew each ten seconds reads some times a minute, a
// wall when it opens; who signs in on twenty screens stays far below.
func defaultLimits() LimitsConfig {
	return LimitsConfig{Reads: "6000:60", Writes: "1200:60", Exports: "30:60", Imports: "60:60", Uploads: "120:60", Websockets: 50, Address: 10}
}

// limits are those of package web; each is one pair.
func (l *LimitsConfig) limits(bad func(string, ...any)) web.Limits {
	w := web.Limits{Websockets: l.Websockets, Address: l.Address}
	for key, to := range map[string]struct {
		text string
		into *ingest.Limit
	}{"reads": {l.Reads, &w.Reads}, "writes": {l.Writes, &w.Writes}, "exports": {l.Exports, &w.Exports}, "imports": {l.Imports, &w.Imports}, "uploads": {l.Uploads, &w.Uploads}} {
		switch ls, err := ingest.ParseLimits(to.text); {
		case err != nil:
			bad("limits.%s: %w", key, err)
		case len(ls) > 1:
			bad("limits.%s is %q; give one number and its seconds, such as 6000:60", key, to.text)
		case len(ls) == 1:
			*to.into = ls[0]
		}
	}
	if l.Websockets < 0 || l.Address < 1 {
		bad("limits.websockets is %d and limits.address %d; the first must not be below 0, the second at least 1", l.Websockets, l.Address)
	}
	return w
}
