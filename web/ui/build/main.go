// Command build makes web/ui/dist from web/ui/src: run it from the repository's
// root after npm ci in web/ui.
package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

// pages are the entry points: each has src/NAME.ts and becomes dist/NAME.html.
var pages = map[string]string{
	"home": "light", "wall": "dark", "report": "light", "track": "light", "crew": "light street", "console": "light", "account": "light", "health": "light",
}

func main() {
	log.SetFlags(0)
	if err := build("web/ui"); err != nil {
		log.Fatal(err)
	}
}

func build(root string) error {
	dist := filepath.Join(root, "dist")
	assets := filepath.Join(dist, "assets")
	if err := os.RemoveAll(dist); err != nil {
		return err
	}
	if err := os.MkdirAll(assets, 0o755); err != nil {
		return err
	}
	basemap, err := buildBasemap(root, assets)
	if err != nil {
		return err
	}
	worker, err := copyWorker(root, assets)
	if err != nil {
		return err
	}
	var entries []string
	for p := range pages {
		entries = append(entries, filepath.Join(root, "src", p+".ts"))
	}
	sort.Strings(entries)
	res := api.Build(api.BuildOptions{
		EntryPoints: entries, Bundle: true, Write: true, Outdir: assets, EntryNames: "[name]-[hash]", ChunkNames: "chunk-[hash]", AssetNames: "[name]-[hash]",
		Format: api.FormatESModule, Splitting: true, MinifySyntax: true, MinifyWhitespace: true, MinifyIdentifiers: true,
		Target: api.ES2020, Metafile: true, LogLevel: api.LogLevelWarning, LegalComments: api.LegalCommentsNone, Charset: api.CharsetUTF8,
		Loader: map[string]api.Loader{".woff2": api.LoaderFile, ".woff": api.LoaderEmpty},
		Define: map[string]string{"BASEMAP": basemap, "MAPWORKER": worker}, PublicPath: "/assets",
	})
	if len(res.Errors) > 0 {
		return fmt.Errorf("esbuild: %d errors", len(res.Errors))
	}
	var meta struct {
		Outputs map[string]struct {
			EntryPoint string `json:"entryPoint"`
			CSSBundle  string `json:"cssBundle"`
		} `json:"outputs"`
	}
	if err := json.Unmarshal([]byte(res.Metafile), &meta); err != nil {
		return err
	}
	for out, o := range meta.Outputs {
		if o.EntryPoint == "" {
			continue
		}
		name := strings.TrimSuffix(filepath.Base(o.EntryPoint), ".ts")
		if _, ok := pages[name]; !ok {
			continue // a part that a page loads later
		}
		html := fmt.Sprintf(`<!doctype html>
<html lang="vi" class="%s">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="theme-color" content="#12222e">
<title>Hải Đăng</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/assets/%s">
<script type="module" src="/assets/%s"></script>
</head>
<body class="%s"><noscript>Trang này cần JavaScript. / This page needs JavaScript.</noscript></body>
</html>
`, pages[name], filepath.Base(o.CSSBundle), filepath.Base(out), name)
		if err := os.WriteFile(filepath.Join(dist, name+".html"), []byte(html), 0o644); err != nil {
			return err
		}
	}
	sum, err := SourcesHash(root)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dist, "SOURCES.sha256"), []byte(sum+"\n"), 0o644)
}

// buildBasemap runs the Node script that clips the outlines, and gives the
// files names with a hash.
func buildBasemap(root, assets string) (string, error) {
	cmd := exec.Command("node", "build/basemap.mjs", filepath.Join("dist", "assets"))
	cmd.Dir, cmd.Stderr = root, os.Stderr
	if out, err := cmd.Output(); err != nil {
		return "", fmt.Errorf("make base map: %w %s", err, out)
	}
	urls := map[string]string{}
	for _, n := range []string{"land", "provinces"} {
		b, err := os.ReadFile(filepath.Join(assets, n+".json"))
		if err != nil {
			return "", err
		}
		h := sha256.Sum256(b)
		name := n + "-" + hex.EncodeToString(h[:4]) + ".json"
		if err := os.Rename(filepath.Join(assets, n+".json"), filepath.Join(assets, name)); err != nil {
			return "", err
		}
		urls[n] = "/assets/" + name
	}
	b, err := json.Marshal(urls)
	return string(b), err
}

// copyWorker gives the map's worker a name with a hash. As a file of its own,
// not a blob that the page makes, it needs no hole in the pages' policy.
func copyWorker(root, assets string) (string, error) {
	b, err := os.ReadFile(filepath.Join(root, "node_modules/maplibre-gl/dist/maplibre-gl-csp-worker.js"))
	if err != nil {
		return "", err
	}
	h := sha256.Sum256(b)
	name := "mapworker-" + hex.EncodeToString(h[:4]) + ".js"
	return `"/assets/` + name + `"`, os.WriteFile(filepath.Join(assets, name), b, 0o644)
}

// SourcesHash is over everything that the build reads and is committed.
func SourcesHash(root string) (string, error) {
	h := sha256.New()
	var files []string
	for _, dir := range []string{"src", "build"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(p string, d os.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				files = append(files, p)
			}
			return err
		})
		if err != nil {
			return "", err
		}
	}
	files = append(files, filepath.Join(root, "package.json"), filepath.Join(root, "package-lock.json"), filepath.Join(root, "tsconfig.json"))
	sort.Strings(files)
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			return "", err
		}
		rel, _ := filepath.Rel(root, f)
		fmt.Fprintf(h, "%s %d\n", filepath.ToSlash(rel), len(b))
		h.Write(b)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
