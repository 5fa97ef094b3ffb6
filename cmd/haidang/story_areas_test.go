package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
)

// An officer with a phone looks an old district up, opens the province that it
// is in now, and imports two wards: first with a mistake, then right.
func TestStoryAreasOnAPhone(t *testing.T) {
	s, _ := demo(t, nil)
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const heading = "Mã;Tên;Loại;Thuộc;Hiệu lực từ\n"
	wrong := file("wrong.csv", heading+"nam-ly;Nam Lý;Phường;quang-tri;01/07/2025\nbac-ly;Bắc Lý;Phường;quang-binh;01/07/2025\n")
	right := file("right.csv", heading+"nam-ly;Nam Lý;Phường;quang-tri;01/07/2025\nbac-ly;Bắc Lý;Phường;quang-tri;01/07/2025\n")
	ctx := browser(t, 800, 740)
	run := func(what string, actions ...chromedp.Action) {
		t.Helper()
		if err := chromedp.Run(ctx, actions...); err != nil {
			var page string
			chromedp.Run(ctx, chromedp.Evaluate(`document.querySelector("main").innerText.slice(0, 1500)`, &page))
			t.Fatalf("%s: %v\n%s", what, err, page)
		}
	}
	choose := func(id, value string) chromedp.Action {
		return chromedp.Evaluate(fmt.Sprintf(`{const f = document.querySelector("#area-%s"); f.value = %q; f.dispatchEvent(new Event("change"))}`, id, value), nil)
	}
	cards := func(codes string) chromedp.Action {
		return chromedp.Poll(fmt.Sprintf(`[...document.querySelectorAll(".list > .cardlist > li")].map((x) => x.dataset.area).join(" ") === %q`, codes), nil)
	}
	says := func(selector, words string) chromedp.Action {
		return chromedp.Poll(fmt.Sprintf(`[...document.querySelectorAll(%q)].some((x) => x.textContent.includes(%q))`, selector, words), nil)
	}
	const tops = "da-nang khanh-hoa ly-son phu-tho quang-tri"
	var wide int
	run("the tops of today's tree", chromedp.EmulateViewport(360, 740), chromedp.Navigate(s.HTTP+"/console?lang=vi#areas"), cards(tops))
	run("an old name", choose("q", "huyen nui thanh"), cards("da-nang"), says("[data-area=da-nang]", "Tên cũ: Huyện Núi Thành (đến trước 01/07/2025)"))
	run("an old map", choose("q", "dong hoi"), cards("dong-hoi"), choose("at", "31/02/2025"), says("small", "Không có ngày này"), choose("at", "30/06/2025"), says("[data-area=dong-hoi]", "Thành phố"), says("[data-area=dong-hoi]", "Quảng Bình"),
		choose("at", ""), choose("q", ""), cards(tops))
	run("what lies in a province", chromedp.Click("[data-area=quang-tri] summary"), chromedp.WaitVisible("[data-area=quang-tri] [data-area=con-co]"),
		chromedp.Evaluate(`document.documentElement.scrollWidth`, &wide))
	if wide > 360 {
		t.Errorf("the page is %d pixels wide on a phone of 360", wide)
	}
	run("a file with a mistake", chromedp.Click(`//summary[text()="Nhập địa bàn từ tệp"]`, chromedp.BySearch), chromedp.SetUploadFiles("#area-file", []string{wrong}), says("li", "Dòng 3, parent:"))
	run("the file put right", chromedp.SetUploadFiles("#area-file", []string{right}), says("summary", "2 mục thêm mới"), says("li", "Bắc Lý (bac-ly)"),
		chromedp.Click(`//button[text()="Áp dụng"]`, chromedp.BySearch), says("[role=status]", "Đã áp dụng."))
	run("the wards", choose("q", "phuong bac ly"), cards("bac-ly"), says("[data-area=bac-ly]", "Quảng Trị"))
}
