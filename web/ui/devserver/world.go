package main

import (
	"fmt"
	"math"
	"strings"
	"time"
)

type m = map[string]any

// world is a province that does not exist: enough of one to look at every page.
type world struct {
	scene                                                string
	start                                                time.Time
	types, devices, alerts, reports, orders, crews, dead []m
}

func label(vi, en string) m { return m{"vi": vi, "en": en} }

func metric(name, vi, en, unit string, headline bool) m {
	return m{"name": name, "label": label(vi, en), "unit": unit, "min": 0, "max": 500, "decimals": 1, "headline": headline}
}

func newWorld(scene string) *world {
	w := &world{scene: scene, start: time.Now()}
	w.types = []m{
		{"id": "air_station", "name": label("Trạm quan trắc không khí", "Air station"), "interval_s": 300, "metrics": []m{metric("pm25", "Bụi PM2.5", "PM2.5", "µg/m³", true), metric("temp", "Nhiệt độ", "Temperature", "°C", false)}},
		{"id": "water_level", "name": label("Trạm đo mực nước", "Water level gauge"), "interval_s": 600, "metrics": []m{metric("level_m", "Mực nước", "Level", "m", true)}},
		{"id": "traffic_camera", "name": label("Camera giao thông", "Traffic camera"), "interval_s": 60, "metrics": []m{metric("count", "Lưu lượng", "Flow", "xe/phút", true)}},
		{"id": "fishing_vessel", "name": label("Tàu cá", "Fishing vessel"), "interval_s": 7200, "mobile": true, "metrics": []m{metric("speed_kn", "Tốc độ", "Speed", "kn", true)}},
	}
	for i, n := range []string{"Tổ Đồng Hới 1", "Tổ Ba Đồn", "Tổ Lệ Thủy", "Tổ Bố Trạch"} {
		w.crews = append(w.crews, m{"id": fmt.Sprintf("crew-%d", i+1), "name": n, "call_sign": fmt.Sprintf("Gió %d", i+1), "state": []string{"busy", "available"}[i%2], "lat": 17.3 + 0.13*float64(i), "lon": 106.5 + 0.04*float64(i), "position_at": w.ago(2), "work_orders": 1 - i%2})
	}
	if scene != "empty" {
		w.fill()
	}
	return w
}

func (w *world) ago(minutes float64) string {
	return w.start.Add(-time.Duration(minutes * float64(time.Minute))).UTC().Format(time.RFC3339)
}

func (w *world) fill() {
	states := []string{"live", "live", "live", "live", "late", "live", "silent", "live", "never", "live"}
	names := []string{"Đồng Hới", "Ba Đồn", "Quảng Trạch", "Tuyên Hóa", "Minh Hóa", "Bố Trạch", "Quảng Ninh", "Lệ Thủy"}
	for i := range 60 {
		kind := []string{"air_station", "water_level", "traffic_camera", "fishing_vessel"}[i%4]
		short := []string{"air", "water", "cam", "vessel"}[i%4]
		key := []string{"pm25", "level_m", "count", "speed_kn"}[i%4]
		a := float64(i) * 2.4
		lat, lon := 17.45+0.35*math.Sin(a)*math.Sqrt(float64(i)/60), 106.4+0.35*math.Cos(a)*math.Sqrt(float64(i)/60)
		d := m{"id": fmt.Sprintf("qb-%s-%02d", short, i/4+1), "type": kind, "name": []string{"Trạm không khí", "Trạm thủy văn", "Camera", "Tàu QB-9" + fmt.Sprint(1000+i) + "-TS"}[i%4] + " " + names[i%8], "area": "dong-hoi", "area_name": names[i%8], "state": states[i%10], "connection": "online", "discovered": false, "expected_interval_s": 300, "last_seen": w.ago(float64(i % 40))}
		if kind == "fishing_vessel" {
			lat, lon = 17.6+0.5*math.Sin(a), 107.3+0.5*math.Cos(a)
			tail := [][2]float64{}
			for k := 8; k >= 0; k-- {
				tail = append(tail, [2]float64{lon - 0.02*float64(k)*math.Sin(a), lat - 0.02*float64(k)*math.Cos(a)})
			}
			d["tail"], d["course"] = tail, math.Mod(a*180/math.Pi, 360)
		}
		d["lat"], d["lon"] = lat, lon
		value := 12 + 7*float64(i%9)
		d["map"] = m{key: value}
		d["values"] = m{key: m{"value": value, "ts": w.ago(3), "received_at": w.ago(3), "age_s": 180, "quality": []string{"good", "good", "calibrating"}[i%3], "unit": []string{"µg/m³", "m", "xe/phút", "kn"}[i%4]}}
		if states[i%10] == "never" {
			d["values"], d["map"] = m{}, m{}
			delete(d, "last_seen")
		}
		w.devices = append(w.devices, d)
	}
	n := 9
	if w.scene == "flood" {
		n = 10000
	}
	sev := []string{"critical", "major", "minor", "info"}
	for i := range n {
		a := m{"id": fmt.Sprintf("alert-%05d", i), "rule": "air.pm25.high", "rule_name": label("Bụi PM2.5 vượt ngưỡng", "PM2.5 too high"), "kind": "threshold", "device": fmt.Sprintf("qb-air-%02d", i%8+1), "device_name": "Trạm không khí " + names[i%8], "device_type": "air_station", "area": "dong-hoi", "severity": sev[i%4], "state": "open", "started_at": w.ago(float64(3 + i*7)), "detected_at": w.ago(2), "late": i%5 == 4, "summary": "PM2.5 đo được 182,4 µg/m³, trên ngưỡng 150 µg/m³", "summary_en": "PM2.5 at 182.4 µg/m³, above 150 µg/m³", "lat": 17.468, "lon": 106.622, "seq": i + 1}
		if i%3 == 2 {
			a["acked_at"], a["acked_by"] = w.ago(1), "Lan"
		}
		w.alerts = append(w.alerts, a)
	}
	rs := []string{"received", "accepted", "assigned", "answered", "refused", "received"}
	for i, s := range rs {
		w.reports = append(w.reports, m{"code": fmt.Sprintf("QB-7K3M-9QX%d", i), "state": s, "category": "traffic", "category_name": label("Giao thông, hạ tầng", "Traffic and roads"), "description": "Cây đổ chắn ngang đường Trần Hưng Đạo, xe máy không qua được. <b>không phải thẻ</b>", "lat": 17.47 + 0.05*float64(i), "lon": 106.6 - 0.05*float64(i), "address": "Đường Trần Hưng Đạo", "agency": "so-xd", "agency_name": "Sở Xây dựng", "channel": "web", "created_at": w.ago(float64(30 + 200*i)), "updated_at": w.ago(10), "phone_masked": "09•••••321", "photos": []m{}, "seq": i + 1,
			"timeline": []m{{"at": w.ago(300), "state": "received", "by": "", "text": ""}, {"at": w.ago(200), "state": "accepted", "by": "Lan", "text": ""}, {"at": w.ago(120), "state": "assigned", "by": "Lan", "text": "Chuyển Sở Xây dựng"}, {"at": w.ago(10), "state": "answered", "by": "Sở Xây dựng", "text": "Đã dọn cây, đường thông lúc 14 giờ."}}[:i%4+1]})
	}
	for i, s := range []string{"offered", "en_route", "on_scene", "resolved"} {
		w.orders = append(w.orders, m{"id": fmt.Sprintf("wo-%d", i), "title": "Kiểm tra nguồn khói tại trạm Đồng Hới", "instructions": "Mang khẩu trang, chụp ảnh hiện trường.", "state": s, "crew": "crew-1", "crew_name": "Tổ Đồng Hới 1", "alert": "alert-00000", "lat": 17.468, "lon": 106.622, "priority": "high", "created_at": w.ago(float64(20 + i)), "created_by": "Lan", "updated_at": w.ago(4), "photos": []string{}, "seq": i + 1, "timeline": []m{{"at": w.ago(20), "received_at": w.ago(20), "state": "offered", "by": "Lan", "text": ""}}})
	}
	for i, t := range []string{"không đọc được JSON ở ký tự 12", "vĩ độ 109 nằm ngoài −90…90: có thể vĩ độ và kinh độ bị đổi chỗ", "thiết bị chưa đăng ký"} {
		w.dead = append(w.dead, m{"id": fmt.Sprint(i + 1), "received_at": w.ago(float64(5 + i)), "source": "mqtt", "topic": "ioc/v1/devices/la-01/readings", "device": "la-01", "stage": "decode", "code": []string{"bad_json", "bad_position", "unknown_device"}[i], "message": t, "payload": "eyJ0cyI6ICI8c2NyaXB0PiIsIA==", "cut": false, "kept": 19, "size": 19, "status": "new"})
	}
}

// tally counts items by one of their members.
func tally(items []m, key string, of ...string) m {
	n := m{"total": len(items)}
	for _, k := range of {
		c := 0
		for _, it := range items {
			if it[key] == k {
				c++
			}
		}
		n[k] = c
	}
	return n
}

func (w *world) stats() m {
	s := m{"devices": tally(w.devices, "state", "live", "late", "silent", "never"), "readings_per_second": 41.7, "readings_total": 81234, "delay_ms": m{"p50": 6, "p99": 31, "samples": 1200}, "alerts": tally(w.alerts, "severity", "critical", "major", "minor", "info"), "reports": tally(w.reports, "state", "received", "accepted", "assigned", "answered", "refused"), "dead_letters": len(w.dead), "now": time.Now().UTC().Format(time.RFC3339)}
	unacked := 0
	for _, a := range w.alerts {
		if a["acked_at"] == nil {
			unacked++
		}
	}
	s["alerts"].(m)["unacked"] = unacked
	if len(w.reports) > 0 {
		s["oldest_unanswered"] = m{"code": w.reports[5]["code"], "created_at": w.reports[5]["created_at"]}
	} else {
		s["readings_per_second"], s["delay_ms"] = 0, m{"samples": 0}
	}
	return s
}

func list(items []m) m {
	if items == nil {
		items = []m{}
	}
	return m{"items": items}
}

// answer is the API: what is asked for by path, with nothing kept.
func (w *world) answer(method, path string) (int, any) {
	part := strings.Split(strings.Trim(path, "/"), "/")
	if w.scene == "locked" {
		return 401, m{"title": "Unauthorized", "status": 401, "detail": "Mã truy cập không đúng."}
	}
	if method == "POST" && part[0] == "reports" && len(part) == 1 {
		return 201, m{"code": "QB-7K3M-9QXD", "state": "received"}
	}
	lists := map[string][]m{"device-types": w.types, "devices": w.devices, "alerts": w.alerts, "reports": w.reports, "work-orders": w.orders, "crews": w.crews, "dead-letters": w.dead,
		"report-categories": {{"id": "traffic", "name": label("Giao thông, hạ tầng", "Traffic and roads")}, {"id": "environment", "name": label("Môi trường", "Environment")}},
		"agencies":          {{"id": "so-xd", "name": "Sở Xây dựng", "name_en": "Department of Construction"}}}
	switch {
	case part[0] == "session":
		return 200, m{"mode": "open", "name": "demo", "role": "operator", "actions": []string{"device.read", "source.read", "stats.read", "deadletter.manage", "alert.read", "alert.ack", "report.read", "report.handle", "workorder.read", "workorder.send", "workorder.act"}}
	case len(part) == 3 && part[2] == "series":
		return 200, m{"items": w.series(), "source": "journal"}
	case len(part) == 1 && lists[part[0]] != nil:
		return 200, list(lists[part[0]])
	case len(part) == 1:
		return 200, list(nil)
	}
	for _, it := range lists[part[0]] {
		if it["id"] == part[1] || it["code"] == part[1] {
			return 200, it
		}
	}
	return 404, m{"title": "Not Found", "status": 404, "detail": "Không có gì ở địa chỉ này."}
}

// series is a day of a value, with a gap in it.
func (w *world) series() []m {
	var out []m
	for i := range 288 {
		if i > 120 && i < 150 {
			continue
		}
		v := 40 + 25*math.Sin(float64(i)/30)
		out = append(out, m{"ts": w.ago(float64(288-i) * 5), "mean": v, "min": v - 4, "max": v + 5, "count": 1})
	}
	return out
}
