// Package ui holds the pages: TypeScript and CSS in src, built into dist, which
// is committed so that Node is needed only to change them.
package ui

import (
	"embed"
	"io/fs"
)

// PagePolicy is what a page may load and do (Content-Security-Policy): what this
// server has, and nothing written into the page. No text becomes markup or script
// (Trusted Types), but for the address of the map's worker.
const PagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' data: blob:; connect-src 'self'; worker-src 'self'; manifest-src 'self'; " +
	"object-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; require-trusted-types-for 'script'; trusted-types haidang"

// AssetPolicy is that of the files beside pages. The map's worker is one: it
// fetches outlines.
const AssetPolicy = "default-src 'none'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

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
