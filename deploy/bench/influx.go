package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
)

// database is the one that is measured in InfluxDB.
const database = "bench"

// influx is the address of an InfluxDB 1.8.
type influx string

func (i influx) address() string { return hostOf(string(i)) }

// written counts the points it has taken since its start.
func (i influx) written() (int64, error) {
	return counter(string(i)+"/debug/vars", `"pointsWrittenOK":(\d+)`)
}

func (i influx) create(name string) error {
	resp, err := http.PostForm(string(i)+"/query", url.Values{"q": {"CREATE DATABASE " + name}})
	if err != nil {
		return fmt.Errorf("create database: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("create database: %s", resp.Status)
	}
	return nil
}

// write sends points in line protocol, with times in ms.
func (i influx) write(lines []byte) error {
	resp, err := http.Post(string(i)+"/write?precision=ms&db="+database, "text/plain", bytes.NewReader(lines))
	if err != nil {
		return fmt.Errorf("write points: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusNoContent {
		said, _ := io.ReadAll(io.LimitReader(resp.Body, 300))
		return fmt.Errorf("write points: %s: %s", resp.Status, said)
	}
	return nil
}

// fillAtOnce is how many points are written at a time.
const fillAtOnce = 5000

// fill writes all lines.
func (i influx) fill(ctx context.Context, lines iter.Seq[[]byte]) error {
	var batch []byte
	n := 0
	for line := range lines {
		batch = append(append(batch, line...), '\n')
		if n++; n%fillAtOnce != 0 {
			continue
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := i.write(batch); err != nil {
			return err
		}
		batch = batch[:0]
	}
	if len(batch) == 0 {
		return nil
	}
	return i.write(batch)
}

// ask runs a query and returns the first value of each row of its answer.
func (i influx) ask(format string, args ...any) ([]float64, error) {
	body, err := get(i.question(format, args...))
	if err != nil {
		return nil, err
	}
	return i.numbers(body)
}

// question is the address that answers a query in InfluxQL.
func (i influx) question(format string, args ...any) string {
	return string(i) + "/query?" + url.Values{"db": {database}, "epoch": {"ms"}, "q": {fmt.Sprintf(format, args...)}}.Encode()
}

// numbers reads an answer: of each row of its first series the first number
// after the time. Rows without any are left out.
func (influx) numbers(body []byte) (ns []float64, err error) {
	var answer struct {
		Error   string
		Results []struct {
			Error  string
			Series []struct{ Values [][]any }
		}
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, fmt.Errorf("read InfluxDB's answer: %w", err)
	}
	if len(answer.Results) == 0 || answer.Error != "" || answer.Results[0].Error != "" {
		return nil, fmt.Errorf("InfluxDB answers %.200s", body)
	}
	if len(answer.Results[0].Series) == 0 {
		return nil, nil
	}
	for _, row := range answer.Results[0].Series[0].Values {
		for _, v := range row[min(1, len(row)):] {
			if n, ok := v.(float64); ok {
				ns = append(ns, n)
				break
			}
		}
	}
	return ns, nil
}
