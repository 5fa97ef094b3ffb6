package firmwaresim

import (
	"fmt"
	"math/rand/v2"
)

// ReportsPath is where citizens' reports are posted.
const ReportsPath = "/api/v1/reports"

// complaint is a text that citizens of Quảng Bình could have written.
type complaint struct{ category, text string }

var complaints = []complaint{
	{"ha-tang-do-thi", "Mặt đường bị sụt lún, có ổ gà sâu, xe máy đi qua rất nguy hiểm."},
	{"ha-tang-do-thi", "Nắp cống bị mất, ban đêm người dân không nhìn thấy."},
	{"ha-tang-do-thi", "Vỉa hè bị bong tróc gạch, người già đi lại dễ vấp ngã."},
	{"ve-sinh-moi-truong", "Rác thải sinh hoạt chất đống nhiều ngày chưa được thu gom, bốc mùi hôi."},
	{"ve-sinh-moi-truong", "Có người đốt rơm rạ, khói mù mịt khu dân cư."},
	{"ve-sinh-moi-truong", "Nước thải chảy thẳng ra sông, nước đen và có bọt."},
	{"giao-thong", "Đèn tín hiệu giao thông không hoạt động từ sáng sớm, dễ gây tai nạn."},
	{"giao-thong", "Xe tải đỗ tràn lòng đường giờ cao điểm gây ùn tắc."},
	{"giao-thong", "Biển báo bị cây che khuất hoàn toàn."},
	{"an-ninh-trat-tu", "Nhóm thanh niên tụ tập đua xe, nẹt pô lúc nửa đêm."},
	{"an-ninh-trat-tu", "Hàng quán lấn chiếm hết vỉa hè, người đi bộ phải xuống lòng đường."},
	{"phong-chong-thien-tai", "Cây lớn gãy đổ chắn ngang đường sau trận mưa to."},
	{"phong-chong-thien-tai", "Nước ngập khoảng nửa mét, nhiều nhà chưa kịp kê đồ."},
	{"phong-chong-thien-tai", "Sạt lở đất bên taluy dương, đất đá tràn xuống đường."},
	{"dien-nuoc-cay-xanh", "Mất nước sinh hoạt hai ngày nay, chưa thấy thông báo."},
	{"dien-nuoc-cay-xanh", "Đèn đường cả đoạn dài không sáng, tối om."},
	{"dien-nuoc-cay-xanh", "Dây điện võng thấp sát mái nhà, rất nguy hiểm khi mưa gió."},
	{"y-te-attp", "Quán ăn không bảo đảm vệ sinh, nhiều người bị đau bụng sau khi ăn."},
}

type place struct {
	name string
	at   position
}

var places = []place{
	{"đường Trần Hưng Đạo, Đồng Hới", position{17.4690, 106.6130}},
	{"đường Hữu Nghị, Đồng Hới", position{17.4740, 106.6050}},
	{"bãi biển Bảo Ninh, Đồng Hới", position{17.4700, 106.6400}},
	{"chợ Đồng Hới", position{17.4650, 106.6260}},
	{"phường Ba Đồn", position{17.7550, 106.4220}},
	{"chợ Ba Đồn", position{17.7530, 106.4250}},
	{"thị trấn Hoàn Lão, Bố Trạch", position{17.5830, 106.5330}},
	{"thị trấn Phong Nha, Bố Trạch", position{17.6080, 106.3080}},
	{"thị trấn Quán Hàu, Quảng Ninh", position{17.4100, 106.6380}},
	{"thị trấn Kiến Giang, Lệ Thủy", position{17.2230, 106.7880}},
	{"xã Quảng Đông, Quảng Trạch", position{17.9300, 106.4700}},
	{"thị trấn Đồng Lê, Tuyên Hóa", position{17.8850, 106.0180}},
	{"thị trấn Quy Đạt, Minh Hóa", position{17.8110, 105.9690}},
}

// report is the wire format of POST /api/v1/reports.
type report struct {
	ClientID    string  `json:"client_id"`
	Category    string  `json:"category"`
	Description string  `json:"description"`
	Lat         float64 `json:"lat"`
	Lon         float64 `json:"lon"`
	Address     string  `json:"address"`
	Phone       string  `json:"phone,omitempty"`
}

func newReport(r *rand.Rand) report {
	c, p := complaints[r.IntN(len(complaints))], places[r.IntN(len(places))]
	rep := report{
		ClientID: fmt.Sprintf("sim-%016x", r.Uint64()), Category: c.category, Description: c.text, Address: p.name,
		Lat: round(p.at.lat+0.004*r.NormFloat64(), 5), Lon: round(p.at.lon+0.002*r.NormFloat64(), 5),
	}
	if r.Float64() < 0.5 {
		rep.Phone = fmt.Sprintf("0900000%03d", r.IntN(1000)) // a block that is not in use
	}
	return rep
}
