"""Made-up complaints and answers, to be filled in: no person, case or number in them is real.

Slots: {desa} {kec} {kab} a place, {jalan} a road, {patokan} a landmark, {sejak} since when, {berapa} a
small number, {sekolah} a school.
"""

# ruff: noqa: E501 - one text, one line
from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

Style: TypeAlias = Literal["formal", "casual", "javanese", "angry", "vague", "off_topic"]


class Base(NamedTuple):
    """One complaint with slots."""

    topic: str
    style: Style
    text: str


def _of(topic: str, *texts: tuple[Style, str]) -> list[Base]:
    return [Base(topic, style, text) for style, text in texts]


# fmt: off
COMPLAINTS: tuple[Base, ...] = (
    *_of(
        "road",
        ("formal", "Kami melaporkan kerusakan jalan provinsi di {jalan}, {desa}, Kecamatan {kec}, {kab}. Lubang sedalam kurang lebih 15 cm sudah ada {sejak} dan membahayakan pengendara roda dua, terutama malam hari. Mohon dapat segera diperbaiki."),
        ("casual", "min jalan depan {patokan} {desa} {kec} {kab} bolong2 parah, {sejak} udah {berapa} orang jatuh. kapan ditambal?"),
        ("javanese", "Nuwun sewu pak, dalan ning {desa} {kec} {kab} rusak nemen, bolongane jeru. Yen udan ora ketok, wis akeh sing tiba. Mbok ndang didandani."),
        ("angry", "INI JALAN APA KOLAM LELE?! {jalan} {kec} {kab} hancur {sejak} gak ada yg peduli. Pajak ditarik terus jalan dibiarkan rusak!!"),
        ("vague", "Jalan depan rumah saya rusak parah tolong diperbaiki"),
        ("vague", "pak gub jalannya rusak pak dari dulu"),
    ),
    *_of(
        "village_road",
        ("formal", "Mohon perhatian untuk jalan poros {desa}, Kecamatan {kec}, {kab} yang belum pernah diaspal. {sejak} anak sekolah kesulitan lewat saat hujan karena licin dan berlumpur."),
        ("casual", "jalan kampung di {desa} {kec} {kab} masih tanah min, musim hujan motor gak bisa lewat. dana desanya kemana ya"),
    ),
    *_of(
        "bridge",
        ("formal", "Jembatan penghubung {desa} dengan desa sebelah di Kecamatan {kec}, {kab} pagarnya patah dan lantainya retak {sejak}. Dilewati truk setiap hari, kami khawatir ambrol."),
        ("casual", "lapor, jembatan dekat {patokan} {desa} {kec} {kab} udah miring, takut roboh pas anak2 berangkat sekolah"),
    ),
    *_of(
        "street_light",
        ("formal", "Lampu penerangan jalan umum sepanjang {jalan} Kecamatan {kec}, {kab} padam {sejak}. Sekitar {berapa} titik mati, jalan menjadi gelap dan rawan kejahatan."),
        ("casual", "Min lampu jalan di {jalan} deket {patokan} {kec} {kab} mati semua, serem kalo pulang shift malem"),
        ("javanese", "Pak, lampu dalan cedhak {patokan} {desa} {kec} {kab} mati {sejak}, peteng dhedhet. Tulung digatekke nggih, suwun."),
    ),
    *_of(
        "school_fee",
        ("formal", "Saya wali murid {sekolah} di {kec}, {kab}. Sekolah meminta sumbangan yang jumlahnya ditentukan dan harus lunas sebelum ujian. Apakah hal ini diperbolehkan? Mohon penjelasan dan tindak lanjut."),
        ("casual", "mau tanya min, {sekolah} {kec} {kab} narik uang gedung lagi padahal negeri. kalo gak bayar kartu ujiannya ditahan. emang boleh?"),
        ("angry", "Sekolah negeri kok jualan seragam wajib beli di sekolah harganya dobel!! {sekolah} {kab} tolong ditindak!"),
    ),
    *_of(
        "school_building",
        ("formal", "Atap dua ruang kelas SD negeri di {desa}, Kecamatan {kec}, {kab} ambrol {sejak}. Siswa belajar di teras. Mohon bantuan perbaikan."),
        ("casual", "WC {sekolah} {kec} {kab} rusak semua min, airnya gak nyala, kasian anak2"),
    ),
    *_of(
        "graduation",
        ("formal", "Ijazah anak saya lulusan {sekolah} {kab} masih ditahan karena tunggakan, padahal diperlukan untuk melamar kerja. Mohon bantuannya agar dapat diambil."),
    ),
    *_of(
        "hospital",
        ("formal", "Pelayanan pendaftaran di rumah sakit daerah {kab} sangat lama. Ibu saya menunggu {berapa} jam padahal sudah mengambil antrean daring. Mohon dibenahi."),
        ("casual", "min puskesmas {kec} {kab} jam 11 udah tutup pendaftaran, padahal di papan tulisannya sampe jam 12"),
        ("angry", "Pasien BPJS dianaktirikan! Di RSUD {kab} disuruh nunggu kamar {berapa} hari, yang bayar umum langsung dapat. Tolong pak Gubernur!"),
    ),
    *_of(
        "health_insurance",
        ("formal", "Kartu BPJS PBI keluarga kami di {desa}, {kec}, {kab} tiba-tiba nonaktif {sejak}, padahal kami masih tidak mampu dan ada anggota keluarga yang harus kontrol rutin. Bagaimana mengaktifkannya kembali?"),
        ("javanese", "Pak, kertu BPJS kula mboten saged diagem {sejak}, jarene pun mboten aktif. Kula tiyang mboten gadhah, griya {desa} {kec} {kab}. Pripun caranipun?"),
    ),
    *_of(
        "power",
        ("formal", "Sering terjadi pemadaman listrik tanpa pemberitahuan di {desa}, Kecamatan {kec}, {kab}. {sejak} sudah {berapa} kali, alat elektronik warga rusak."),
        ("casual", "listrik {desa} {kec} {kab} mati lagi min dari maghrib, PLN ditelpon gak diangkat"),
        ("casual", "tiang listrik dekat {patokan} {desa} {kec} {kab} miring mau roboh ke rumah warga, kabelnya ngglantung"),
    ),
    *_of(
        "water",
        ("formal", "Air PDAM di perumahan wilayah {desa}, Kecamatan {kec}, {kab} tidak mengalir {sejak}, tetapi tagihan tetap berjalan. Mohon ditindaklanjuti."),
        ("casual", "air pdam {kec} {kab} keruh kayak kopi susu min, mandi aja gatel. {sejak} kayak gini"),
        ("javanese", "Banyu ledeng ning {desa} {kec} {kab} mung metu jam loro bengi, kuwi wae cilik. Kudu piye pak?"),
    ),
    *_of(
        "drought",
        ("formal", "Warga {desa}, Kecamatan {kec}, {kab} kekurangan air bersih {sejak}. Sumur kering dan harus membeli air tangki. Mohon bantuan dropping air."),
    ),
    *_of(
        "irrigation",
        ("formal", "Saluran irigasi di {desa}, Kecamatan {kec}, {kab} jebol {sejak} sehingga puluhan hektare sawah tidak mendapat air. Petani terancam gagal tanam."),
        ("javanese", "Kalen sawah {desa} {kec} {kab} mampet pak, pintu banyune rusak. Sawah garing kabeh, wis {sejak}."),
    ),
    *_of(
        "fertilizer",
        ("casual", "pupuk subsidi di {kec} {kab} susah dicari min, di kios harganya di atas HET. kartu tani gak kepake"),
        ("angry", "Petani {desa} {kec} {kab} menjerit! Pupuk langka {sejak} dinas diam saja. Mana janjinya?"),
    ),
    *_of(
        "waste",
        ("formal", "Tumpukan sampah liar di pinggir {jalan}, Kecamatan {kec}, {kab} semakin tinggi dan berbau {sejak}. Mohon diangkut dan dipasang larangan."),
        ("casual", "sampah di TPS dekat {patokan} {kec} {kab} gak diangkut {berapa} hari, baunya masuk rumah, banyak lalat"),
    ),
    *_of(
        "pollution",
        ("formal", "Sungai di {desa}, Kecamatan {kec}, {kab} berubah warna dan berbusa {sejak}, diduga akibat pembuangan limbah pabrik pada malam hari. Ikan mati dan sumur warga berbau."),
        ("casual", "pabrik deket {desa} {kec} {kab} asepnya item tiap malem min, jemuran jadi item, anak saya batuk terus"),
    ),
    *_of(
        "flood",
        ("formal", "Banjir kembali merendam {desa}, Kecamatan {kec}, {kab} setinggi lutut {sejak}. Saluran air tersumbat dan tanggul rendah. Mohon penanganan segera."),
        ("casual", "lapor min {desa} {kec} {kab} banjir lagi, air udah masuk rumah. butuh perahu sama selimut buat lansia"),
        ("javanese", "Rob mlebu omah maneh pak, {desa} {kec} {kab}. Saben sasi ngene terus, tanggule jebol ora didandani."),
    ),
    *_of(
        "landslide",
        ("casual", "DARURAT tebing longsor nutup {jalan} {kec} {kab} barusan, mobil gak bisa lewat, tolong alat berat"),
        ("formal", "Terjadi tanah retak sepanjang {berapa} meter di atas permukiman {desa}, Kecamatan {kec}, {kab} {sejak}. Warga khawatir longsor saat hujan deras."),
    ),
    *_of(
        "mining",
        ("formal", "Penambangan galian C di {desa}, Kecamatan {kec}, {kab} diduga tanpa izin. Truk pasir merusak jalan desa dan debunya mengganggu {sejak}."),
    ),
    *_of(
        "social_aid",
        ("formal", "Mohon dicek data penerima bantuan sosial di {desa}, Kecamatan {kec}, {kab}. Warga yang mampu mendapat PKH, sedangkan janda lansia tetangga kami tidak pernah menerima."),
        ("casual", "min bansos di {desa} {kec} {kab} kok dipotong ya? katanya buat pemerataan. emang ada aturannya?"),
        ("javanese", "Kula tiyang sepuh mboten nate angsal bantuan pak, sing angsal malah sing nduwe montor loro. {desa} {kec} {kab}."),
    ),
    *_of(
        "labour",
        ("formal", "Kami karyawan pabrik garmen di Kecamatan {kec}, {kab}. Upah dibayar di bawah UMK dan lembur tidak dihitung {sejak}. Mohon pengawasan dari dinas terkait, identitas kami mohon dirahasiakan."),
        ("casual", "kerja di PT daerah {kec} {kab} udah kontrak {berapa} tahun tapi gak didaftarin bpjs ketenagakerjaan, lapor kemana ya"),
        ("angry", "THR belum dibayar sampai sekarang!! Pabrik di {kec} {kab}. Jangan cuma omon-omon, tindak!"),
    ),
    *_of(
        "civil_registry",
        ("formal", "Pengajuan KTP elektronik saya di {kab} sudah {berapa} bulan belum jadi dengan alasan blangko habis. Mohon kepastian."),
        ("casual", "ngurus akta lahir di {kab} kok disuruh bolak balik {berapa} kali min, katanya bisa online"),
    ),
    *_of(
        "vehicle_tax",
        ("casual", "pajak motor online error terus min, saldo kepotong tapi status belum lunas. samsat {kab}"),
        ("formal", "Mohon informasi persyaratan balik nama kendaraan di Samsat {kab} dan biaya resminya, karena di lokasi ditawari jasa calo."),
    ),
    *_of(
        "bus",
        ("casual", "bus trans jateng arah {kec} {kab} lewatnya lama banget, nunggu {berapa} bus penuh terus, AC mati pula"),
        ("formal", "Halte Trans Jateng di depan {patokan}, {kec}, {kab} atapnya bocor dan tidak ada tempat duduk untuk lansia. Mohon diperbaiki."),
    ),
    *_of(
        "traffic",
        ("formal", "Mohon dipasang lampu lalu lintas atau pita penggaduh di pertigaan dekat {patokan}, {kec}, {kab}. {sejak} sudah terjadi {berapa} kecelakaan."),
        ("casual", "truk tronton parkir liar di {jalan} {kec} {kab} bikin macet tiap pagi min, tolong ditertibkan"),
    ),
    *_of(
        "illegal_fee",
        ("formal", "Terdapat pungutan liar dalam pengurusan sertifikat tanah program PTSL di {desa}, Kecamatan {kec}, {kab}. Warga diminta membayar di luar ketentuan tanpa kuitansi."),
        ("angry", "Ngurus surat di kantor desa {desa} {kec} {kab} harus ada amplopnya! Sampai kapan begini?!"),
    ),
    *_of(
        "land",
        ("formal", "Sertifikat tanah kami di {desa}, Kecamatan {kec}, {kab} sudah diajukan ke kantor pertanahan {sejak} namun belum ada kejelasan. Mohon bantuan."),
    ),
    *_of(
        "public_order",
        ("casual", "tiap malem minggu balap liar di {jalan} {kec} {kab}, berisik sampe subuh, mohon patroli"),
        ("formal", "Warung di dekat {patokan}, {desa}, Kecamatan {kec}, {kab} menjual minuman keras secara terbuka {sejak}. Warga resah, mohon ditertibkan."),
    ),
    *_of(
        "market",
        ("casual", "harga beras di pasar {kec} {kab} naik terus min, operasi pasarnya kapan ke sini?"),
        ("formal", "Gas LPG 3 kg langka di {kec}, {kab} {sejak}. Di pengecer harganya jauh di atas ketentuan. Mohon pengawasan distribusinya."),
    ),
    *_of(
        "internet",
        ("formal", "Sinyal telepon dan internet di {desa}, Kecamatan {kec}, {kab} sangat lemah sehingga anak-anak sulit mengerjakan tugas. Mohon pembangunan menara."),
    ),
    *_of(
        "tree",
        ("casual", "pohon gede di pinggir {jalan} {kec} {kab} miring ke jalan, kena angin dikit bisa roboh. tolong dipangkas"),
    ),
    *_of(
        "disability",
        ("formal", "Trotoar di {jalan}, {kec}, {kab} tidak dapat dilalui kursi roda karena dipenuhi tiang dan lapak. Mohon perhatian bagi penyandang disabilitas."),
    ),
    *_of(
        "tourism",
        ("casual", "parkir di wisata {desa} {kec} {kab} ditembak 20rb min, karcisnya gak ada. bikin kapok"),
    ),
    *_of(
        "cooperative",
        ("formal", "Simpanan anggota koperasi di {kec}, {kab} tidak dapat dicairkan {sejak}. Pengurus sulit ditemui. Mohon pendampingan dari dinas koperasi."),
    ),
    *_of(
        "service",
        ("angry", "Pelayanan kantor kecamatan {kec} {kab} buruk! Jam 9 masih kosong, petugasnya main HP. Digaji buat apa?"),
        ("formal", "Terima kasih atas perbaikan jalan di {desa}, {kec}, {kab}. Mohon usul agar drainasenya juga dibuat supaya tidak cepat rusak lagi."),
    ),
    *_of(
        "unclear",
        ("vague", "tolong pak disini banjir"),
        ("vague", "lampunya mati udah lama gak ada yg benerin"),
        ("vague", "Kok belum ada tindakan ya?"),
        ("vague", "pak bansos saya kok ga keluar"),
        ("vague", "Wah jan, tetep wae ora didandani. Piye iki?"),
        ("vague", "min mau lapor bisa?"),
    ),
    *_of(
        "off_topic",
        ("off_topic", "Assalamualaikum, ini benar nomornya travel yang ke bandara?"),
        ("off_topic", "PROMO pinjaman cepat cair tanpa jaminan, klik tautan ini sekarang"),
        ("off_topic", "tes"),
        ("off_topic", "Selamat pagi semangat beraktivitas, jangan lupa sarapan 🌞"),
        ("off_topic", "maaf salah kirim"),
        ("off_topic", "min lowongan kerja di pemprov ada ga"),
    ),
)

OPENINGS: dict[Style, tuple[str, ...]] = {
    "formal": ("", "", "Yth. Bapak Gubernur. ", "Dengan hormat. ", "Selamat pagi. "),
    "casual": ("", "", "halo min, ", "permisi, ", "lapor! "),
    "javanese": ("", "Sugeng enjing. ", "Kulanuwun. "),
    "angry": ("", "", "WOY! "),
    "vague": ("", "", "halo, "),
    "off_topic": ("",),
}

CLOSINGS: dict[Style, tuple[str, ...]] = {
    "formal": (
        "",
        " Terima kasih.",
        " Atas perhatiannya kami ucapkan terima kasih.",
        " Demikian laporan kami.",
    ),
    "casual": ("", "", " makasih 🙏", " tolong ya min", " 🙏🙏"),
    "javanese": ("", " Matur nuwun.", " Suwun pak."),
    "angry": ("", " 😡", " KECEWA!"),
    "vague": ("", "", " 🙏"),
    "off_topic": ("",),
}

ROADS = (
    "Jalan Raya {kec}", "Jalan Diponegoro", "Jalan Pemuda", "Jalan Ahmad Yani", "Jalan Raya {kec} arah {desa}",
    "Jalan Veteran", "Jalan Kartini", "Jalan Gatot Subroto", "Jalan Lingkar {kec}",
)
LANDMARKS = (
    "pasar", "balai desa", "masjid besar", "SPBU", "terminal", "puskesmas", "lapangan", "kantor kecamatan",
    "jembatan", "pertigaan",
)
SINCE = (
    "sejak minggu lalu", "sejak tiga bulan lalu", "sejak lebaran", "sejak awal tahun", "sejak musim hujan",
    "sejak kemarin", "sejak dua minggu ini",
)
SCHOOLS = ("SMA negeri", "SMK negeri", "SLB negeri")

ANSWERS: dict[str, tuple[str, ...]] = {
    "lampu|listrik|padam": (
        "Petugas {unit} sudah memeriksa jaringan di lokasi dan mengganti komponen yang rusak. Apabila masih padam, mohon sebutkan nomor tiang terdekat.",
    ),
    "sekolah|ijazah|seragam|ujian": (
        "{unit} telah meminta klarifikasi kepada pihak sekolah. Sumbangan bersifat sukarela, tidak boleh ditentukan jumlahnya, dan tidak boleh dikaitkan dengan ujian atau ijazah. Sekolah sudah kami minta mengembalikan yang terlanjur dipungut.",
    ),
    "air|pdam|banyu|sumur|irigasi": (
        "Tim {unit} menemukan kebocoran pada saluran utama dan sedang memperbaikinya. Aliran diperkirakan pulih dalam tiga hari; bantuan air tangki tersedia melalui kantor desa.",
    ),
    "banjir|rob|longsor|retak": (
        "{unit} sudah menurunkan tim ke lokasi bersama perangkat desa. Saluran yang tersumbat dibersihkan dan kebutuhan dasar warga terdampak disalurkan. Mohon tetap waspada saat hujan deras.",
    ),
    "bansos|bantuan|pkh|bpjs": (
        "Data sudah kami periksa. Usulan perbaikan data penerima dapat diajukan melalui musyawarah desa atau kelurahan; {unit} telah menghubungi pendamping setempat untuk membantu.",
    ),
    "upah|thr|pabrik|kontrak": (
        "Pengawas dari {unit} akan memeriksa perusahaan yang dimaksud. Identitas pelapor kami jaga. Mohon siapkan salinan slip upah atau kontrak bila dihubungi.",
    ),
    "jalan|dalan|jembatan|lubang|bolong": (
        "{unit} telah meninjau lokasi. Penambalan sementara sudah dikerjakan, dan perbaikan menyeluruh dijadwalkan pada triwulan berikutnya sesuai anggaran.",
        "Ruas tersebut sudah masuk daftar pemeliharaan rutin {unit}. Pekerjaan dimulai paling lambat dua minggu lagi; selama itu rambu hati-hati kami pasang.",
    ),
    "": (
        "Terima kasih atas laporannya. {unit} sudah menindaklanjuti dengan pihak terkait di lapangan, dan hasilnya akan kami pantau sampai selesai.",
        "Laporan Saudara telah kami periksa. {unit} menugaskan petugas untuk turun ke lokasi dalam tiga hari kerja.",
        "Setelah dikoordinasikan, hal ini kami jadwalkan untuk diselesaikan bulan ini. Terima kasih atas kesabarannya. {unit}",
    ),
}
"""Words of the complaint (a pattern) → responses; "" fits everything."""
