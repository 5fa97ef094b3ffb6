package main

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

// The bare pipeline is the floor of the delay: what a program costs that does
// nothing but decode a reading, send it to each wall in a frame of its own and
// insert it into SQLite. It checks nothing, keeps no state, acknowledges before
// it stores, and drops what a wall is too slow for.

// bareReading is what it decodes.
type bareReading struct {
	TS     int64   `json:"ts"`
	Seq    int64   `json:"seq"`
	Lat    float64 `json:"lat"`
	Lon    float64 `json:"lon"`
	Values struct {
		PM25     float64 `json:"pm25"`
		PM10     float64 `json:"pm10"`
		O3       float64 `json:"o3"`
		NO2      float64 `json:"no2"`
		Temp     float64 `json:"temp"`
		Humidity float64 `json:"humidity"`
		Battery  float64 `json:"battery_v"`
		RSSI     float64 `json:"rssi"`
		SentUS   int64   `json:"sent_us"`
	} `json:"values"`
}

// bareItem is a reading in a frame, in the shape of haidang's own.
type bareItem struct {
	Kind string `json:"k"`
	ID   string `json:"id"`
	bareReading
}

type bareFrame struct {
	Type    string      `json:"type"`
	Channel string      `json:"channel"`
	Items   [1]bareItem `json:"items"`
}

// barePipeline serves the bare pipeline. Arguments: broker, address of the
// walls and of the count, SQLite file.
func barePipeline(args []string) error {
	db, err := openBareStore(args[2])
	if err != nil {
		return err
	}
	walls := newCrowd()
	var stored atomic.Int64
	waiting := make(chan bareItem, 1<<16)
	go func() { fatal(keepBare(db, waiting, &stored)) }()
	err = subscribe(args[0], "floor", func(_ mqtt.Client, m mqtt.Message) {
		item := bareItem{Kind: "d", ID: strings.Split(m.Topic(), "/")[3]}
		if json.Unmarshal(m.Payload(), &item.bareReading) != nil {
			return
		}
		if text, err := json.Marshal(bareFrame{"delta", "map", [1]bareItem{item}}); err == nil {
			walls.broadcast(text, false)
		}
		waiting <- item
	})
	if err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, "taking readings")
	http.HandleFunc("/ws", walls.enter)
	http.HandleFunc("/", tell(&stored))
	return http.ListenAndServe(args[1], nil)
}

func openBareStore(path string) (*sql.DB, error) {
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	_, err = db.Exec(`CREATE TABLE reading(device TEXT, ts INTEGER, pm25 REAL, pm10 REAL, o3 REAL, no2 REAL, temp REAL, humidity REAL, battery REAL, rssi REAL,
		PRIMARY KEY(device, ts)) WITHOUT ROWID`)
	return db, err
}

// keepBare inserts readings, at most 5,000 in a transaction and at least every
// 200 ms.
func keepBare(db *sql.DB, waiting <-chan bareItem, stored *atomic.Int64) error {
	tick := time.NewTicker(200 * time.Millisecond)
	var batch []bareItem
	for {
		select {
		case item := <-waiting:
			if batch = append(batch, item); len(batch) < 5000 {
				continue
			}
		case <-tick.C:
		}
		if len(batch) == 0 {
			continue
		}
		if err := insertBare(db, batch); err != nil {
			return err
		}
		stored.Add(int64(len(batch)))
		batch = batch[:0]
	}
}

func insertBare(db *sql.DB, batch []bareItem) error {
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback()
	insert, err := tx.Prepare(`INSERT OR REPLACE INTO reading VALUES(?,?,?,?,?,?,?,?,?,?)`)
	if err != nil {
		return err
	}
	defer insert.Close()
	for i := range batch {
		r := &batch[i]
		v := &r.Values
		if _, err := insert.Exec(r.ID, r.TS, v.PM25, v.PM10, v.O3, v.NO2, v.Temp, v.Humidity, v.Battery, v.RSSI); err != nil {
			return err
		}
	}
	return tx.Commit()
}
