package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"time"
)

// token signs the bench in where serve asks for one.
const token = "bench"

var signedIn = http.Header{"Authorization": {"Bearer " + token}}

var errNoCounter = errors.New("the counter is not there")

// get reads a page, signed in.
func get(page string) ([]byte, error) {
	req, err := http.NewRequest(http.MethodGet, page, nil)
	if err != nil {
		return nil, err
	}
	req.Header = signedIn.Clone()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s answers %s", page, resp.Status)
	}
	return body, err
}

// counter reads a number from a page; the pattern's first group is the number.
func counter(page, pattern string) (int64, error) {
	body, err := get(page)
	if err != nil {
		return 0, err
	}
	match := regexp.MustCompile(pattern).FindSubmatch(body)
	if match == nil {
		return 0, errNoCounter
	}
	n, err := strconv.ParseFloat(string(match[1]), 64) // Prometheus writes 1e+06
	return int64(n), err
}

// haidangStored counts what the journal has committed and synced.
func haidangStored(base string) (int64, error) {
	n, err := counter(base+"/metrics", `(?m)^haidang_ingest_messages_total\{outcome="stored"\} (\S+)`)
	if errors.Is(err, errNoCounter) {
		return 0, nil // nothing stored yet
	}
	return n, err
}

// ready waits until the server can take data: it listens before its
// subscription at an outside broker stands, and what is published between is lost.
func ready(ctx context.Context, base string) error {
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end) && ctx.Err() == nil; time.Sleep(10 * time.Millisecond) {
		resp, err := http.Get(base + "/readyz")
		if err != nil {
			continue
		}
		resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			return nil
		}
	}
	return fmt.Errorf("%s/readyz does not become 200", base)
}

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	return u.Host
}
