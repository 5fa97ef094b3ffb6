// Package ui holds the pages: TypeScript and CSS in src, built into dist, which
// is committed so that Node is needed only to change them.
package ui

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// Dist is the built pages: *.html, and assets under names that hold a hash.
func Dist() fs.FS {
	sub, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err) // the folder is embedded: it cannot be missing
	}
	return sub
}
