"""Words beside which a name is looked for, and words that are none, for `names`. Plain facts of the language."""

from __future__ import annotations

from typing import Final

from laporhub.pipeline.identity.name_words import NAMES, SHARED

_AFTER_PLACE = """
dalan
sakit jalan jl jln jalur gang gg desa ds kelurahan kel kecamatan kec kabupaten kab kota dusun dsn dukuh dk kampung kp
lingkungan perumahan perum prum komplek kompleks griya graha puri rs rsu rsud rsi rsia rsjd rsup klinik
puskesmas pustu apotek apotik sma smk smp sd sdn smpn sman smkn sdit smpit mi mts mtsn man ma tk paud ra kb slb
universitas univ kampus stadion bandara masjid mesjid mushola musholla langgar gereja vihara pasar terminal
stasiun halte gedung gor taman tugu patung monumen museum jembatan waduk bendungan embung sungai kali gunung gn
bukit pantai pulau pt cv ud pd toko warung kedai rm resto restoran hotel bank yayasan ponpes pesantren pondok
pabrik simpang perempatan pertigaan bundaran exit tol rest blok ruas raya makam tpu pemakaman sekolah radio hari
pahlawan bus po lapangan alun paguyuban panti koperasi bumdes pasukan batalyon kodim koramil korem kri spbu bumi
candi situs arung wisata objek obyek pelabuhan tpi laut samudra
"""
_TITLES = """
pak bapak bpk bp bu ibu ibuk mas mbak mba mbk mbah mbok simbah kang teh teteh aa akang cak ning gus om tante
bude bulik pakde paklik budhe pakdhe eyang nenek kakek sdr sdri saudara saudari tn ny nyonya tuan nona bang
abang kak kakak adik dik ustad ustadz ustaz ustadzah kyai kiai haji hj alm almarhum almarhumah bripka bripda
aiptu aipda iptu ipda akp serda sertu kopda pratu nyai romo pastor pendeta
"""
_ROLES = """
wali lurah kades camat bupati walikota gubernur presiden menteri rt rw carik sekdes kadus bayan modin bidan dokter dr
drs ir prof guru kepala sekolah desa kasi kabid kasubag sekretaris bendahara ketua wakil staf petugas pegawai
oknum satpam sopir supir dirut direktur manajer perawat suster mandor kontraktor tersangka pelaku korban pasien
siswa siswi murid anggota polisi polantas babinsa bhabinkamtibmas danramil kapolsek kasun perangkat anak istri
suami adik kakak ayah tetangga mertua keponakan cucu almarhum pelapor nasabah pelanggan penjual pemilik
cucunya cucune cucuku anaknya anake anakku anakke putrane putraku putranya putrinya istrinya istriku bojoku bojone
suaminya suamiku adiknya adikku adine kakaknya kakakku ibunya ibuku bapaknya bapakku bapake ayahnya ayahku ponakan
ponakanku keponakanku tetangganya tetanggaku temannya temanku teman kancaku mertuaku
"""
_NEVER = """
hub hubungi whatsapp kontak contact call info dalemipun
mantan ada adalah agar aja akan akhir aku alamat aman anda apa apabila apakah arah asalamualaikum assalamualaikum
assalamu atas atau bagaimana bagi bagian bahwa baik banjir bantu bantuan barat baru bansos bbm belakang belum
berapa berupa besar bila bisa blt boleh bpjs bpnt buka bukan bulan cuma dalam dan dapat dari darurat daerah
demikian dengan depan desember dewan dg dgn di dia dimana dimohon dinas dishub disdukcapil dprd dtks dua dusun
facebook februari gabungan gas gimana gubernuran gub guna hak halo hanya harap hari harus hingga hormat hp hukum
ijin indonesia ini instagram itu izin jadi jakarta jaman jangan januari jateng jawa jika juga juli jumat juni
kami kalau kamis kantor karena kartu kawasan ke kebumen kel keluarga keluhan kemarin kementerian kenapa kepada
kerusakan keterangan ketika kita kk kok kompleks kondisi koperasi korban kota krn ktp kurang lagi lah lain lalu
lampu lapangan lapor laporan laporgub layanan lebih lewat lingkungan listrik lokasi maaf mana maret masalah
masih masyarakat mati mau mei melalui melaporkan membantu memohon mengadu menurut merah mereka minggu minta min
admin mohon motor mobil namun nasional negara negeri nggak nih nik nomor no november nya oktober oleh orang pada
pagi pajak para pasca patroli pekalongan pelayanan pembangunan pemda pemerintah pemkab pemkot pemprov pemuda
penanganan pengaduan perbaikan perda perihal perlu permisi pertamina perusahaan pihak pln polda polres polsek
polri posyandu pohon pos program provinsi proyek pun purwokerto pusat rabu rakyat ramai republik rumah rusak
saat sabtu saja salah salam salatiga saluran sama samping sampah sampai samsat sana sangat satpol satu saya
sayang sebelah sebagai sebelum sejahtera segera sejak sekarang sekitar sekolah sekian selalu selama selamat
selasa selatan seluruh semarang semoga semua senin september seperti sering serta setelah setiap siang sih siapa
sini situ sms solo sore sosial subsidi sudah sungai supaya surabaya surakarta surat tadi tahun tanah tanggal
tanpa tanya tapi tegal telah telp telepon tempat tengah terima terimakasih terkait terus tetap tetapi tiang
tidak tiga timur tindak tolong tol tuhan tni trans twitter umum untuk usaha utara wa wajib waktu warga wib
wilayah ya yaa yang yaitu yogyakarta yth youtube aparat aparatur asn pns p3k pppk kades bpd babinsa dinkes
dinsos dpu dpupr pupr satpolpp bpbd bkd bapenda kesbangpol rsud pdam jual dijual tinggal sakit rawat dirawat
meninggal wafat sehat kerja bekerja sedang sendiri tua muda kecil sepuh spesialis hewan gigi honorer datang
pergi bilang bicara kata katanya ngomong marah meminta kasih memberi tau tahu ngerti dong deh kan ko koq loh
sopo iki iku kuwi niki kulo panjenengan nggih inggih mboten ora wis sampun durung mangga monggo nyuwun matur
suwun nuwun sugeng dibawah kadiskominfo kerjanya orangnya namanya anaknya rumahnya kapan kah silakan silahkan
"""
_PLAIN = """
kini sini gini begini segini hati mati ganti nanti panti bukti pasti seperti arti berarti roti sakti inti wajah
gajah rajah meriah kuliah sampai dasari sasari pesari sehari sari tertinggal menjadi terjadi jadi tadi pribadi
developer pengembang penghuni penyewa abadi padi jahadi saudari mandiri menghadi diminati melewati
lewati simpati bupati wati nikmati amati dekati pati hayati sejati rendah pindah indah wilayah syariah hadiah
jumlah khotbah rupiah sekolah ibadah sampah sawah
bawah tanah dirikah mudah sudah susah pemerintah perintah mewadahi tempati menempati ditempati menyepakati
disepakati sepakati dilewati dihadi jadiin dijadi mengabdi abdi mengadi disari mencari hari maksiyah ilmiyah
aliyah diniyah tsanawiyah ibtidaiyah muhammadiyah berlari dicari matahari mencermati obati mengobati
"""

AFTER_PLACE: Final = frozenset(_AFTER_PLACE.split())
"""Roads, schools, firms and the like bear names of people."""
TITLES: Final = frozenset(_TITLES.split())
ROLES: Final = frozenset(_ROLES.split())
"""A name that is known as one may follow these."""
NEVER: Final = (frozenset(_NEVER.split()) | AFTER_PLACE) - NAMES - SHARED
"""Words that are no part of a name."""
PLAIN: Final = frozenset(_PLAIN.split())
"""Other words that are formed as names are."""
