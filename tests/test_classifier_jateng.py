"""LaporGub's units as they are shipped: made-up complaints find their unit from the first day."""

from pathlib import Path

import pytest
from laporhub.classifiers.cold_start import ColdStartClassifier
from laporhub.pipeline.models import Location
from laporhub.pipeline.profile.schema import Unit, Units
from ruamel.yaml import YAML

PROFILE = Path(__file__).parent.parent / "profiles" / "laporgub-jateng" / "units.yaml"

# Complaint → the unit that must be among the first three. Written for this test, about nothing that happened.
COMPLAINTS = [
    ("Jalan provinsi ruas Purwodadi Blora km 12 berlubang dalam, sudah banyak motor jatuh", "dinas-pupr"),
    ("jln prov arah jepara bergelombang bgt min kapan ditambal", "dinas-pupr"),
    ("Jalan pantura Brebes rusak parah, truk sering terguling, garis tengahnya kuning", "bbpjn"),
    ("Jalan nasional depan pabrik di Kaliwungu ambles, mohon ditangani", "bbpjn"),
    ("jalan desa di Karangpucung Cilacap tdk pernah diaspal, becek kalau hujan", "kab-cilacap"),
    ("Jalan kabupaten di kec. Kertek Wonosobo berlubang", "kab-wonosobo"),
    ("jalan berlubang di kab. Pati, tolong bupati perhatikan", "kab-pati"),
    ("Lampu jalan kampung di Gombong mati sebulan gelap sekali", "kab-kebumen"),
    ("Sampah menumpuk di pinggir jalan dekat pasar Ungaran, baunya menyengat", "kab-semarang"),
    ("sampah di Kecamatan Tembalang kota semarang tidak diangkut seminggu", "kota-semarang"),
    ("KTP saya sudah 3 bulan belum jadi di dukcapil Klaten", "kab-klaten"),
    ("Bikin akta kelahiran di Kudus dipersulit petugas, bolak balik terus", "kab-kudus"),
    ("Guru SD di Rembang sering tidak masuk, anak-anak tidak diajar", "kab-rembang"),
    ("Atap ruang kelas SMP negeri di kabupaten Batang ambrol", "kab-batang"),
    ("Kepala desa kami di Mrebet Purbalingga diduga memakai dana desa untuk sendiri", "kab-purbalingga"),
    ("Pelayanan puskesmas di Sayung Demak lambat dan petugasnya judes", "kab-demak"),
    ("Air PDAM di Solo mati tiga hari tanpa pemberitahuan", "kota-surakarta"),
    ("Parkir liar di alun-alun Kota Tegal, juru parkir minta sepuluh ribu", "kota-tegal"),
    ("PBB di Salatiga naik tiga kali lipat, mohon keringanan", "kota-salatiga"),
    ("Got mampet di Kelurahan Medono, air masuk rumah tiap hujan", "kota-pekalongan"),
    ("Pasar di Muntilan kumuh dan retribusi pedagang naik", "kab-magelang"),
    ("SMA negeri anak saya mewajibkan sumbangan komite dua juta, apa memang boleh?", "dinas-pendidikan"),
    ("ijazah adik ditahan smk krn blm lunas spp", "dinas-pendidikan"),
    ("Zonasi SPMB SMA tidak adil, rumah dekat malah tidak diterima", "dinas-pendidikan"),
    ("Bus Trans Jateng koridor Bawen sering terlambat dan penuh", "dishub"),
    ("Gaji saya di bawah UMK dan lembur tidak pernah dibayar pabrik", "disnakertrans"),
    ("THR belum cair sampai sekarang, perusahaan garmen alasan terus", "disnakertrans"),
    ("saya di-phk sepihak tanpa pesangon", "disnakertrans"),
    ("Tambang galian C ilegal di lereng gunung, truknya lewat siang malam", "dinas-esdm"),
    ("Bansos PKH ibu saya berhenti padahal masih miskin", "dinas-sosial"),
    ("Rumah nenek saya reyot hampir roboh, mohon bantuan bedah rumah", "disperakim"),
    ("Limbah pabrik tekstil dibuang ke sungai sampai ikan mati semua", "dlhk"),
    ("asap cerobong pabrik bikin sesak warga", "dlhk"),
    ("Uang simpanan saya di koperasi tidak bisa diambil, pengurusnya menghilang", "dinkop-ukm"),
    ("Minyak goreng langka dan harga sembako naik terus", "disperindag"),
    ("Pupuk subsidi langka, kios menjual di atas harga resmi", "distanak"),
    ("Nelayan kesulitan solar dan TPI tidak ada lelang", "dkp"),
    ("Pajak motor online tidak bisa dibayar, aplikasi sakpole eror", "bapenda"),
    ("Antre samsat keliling tidak jelas jadwalnya, mau bayar pajak kendaraan", "bapenda"),
    ("pendaftaran cpns provinsi saya dinyatakan tms padahal berkas lengkap", "bkd"),
    ("Banjir rob sudah sepinggang dan warga butuh evakuasi", "bpbd"),
    ("Istri saya dipukuli suaminya yang baru, tolong KDRT ini ditangani", "dp3ap2kb"),
    ("IGD RSUD Moewardi menelantarkan pasien berjam-jam", "rsud-moewardi"),
    ("Poli RS Margono antre dari subuh tetap tidak dilayani", "rsud-margono"),
    ("Sertifikat tanah PTSL saya tidak kunjung jadi, sudah dua tahun di BPN", "bpn"),
    ("Polisi lalu lintas meminta uang damai saat tilang", "polda"),
    ("bikin SIM C dipersulit harus lewat calo", "polda"),
    ("Listrik padam dari semalam, token juga tidak bisa masuk", "pln"),
    ("tagihan listrik bulan ini melonjak dua kali", "pln"),
    ("Pertalite kosong di semua SPBU, bensin eceran mahal", "pertamina"),
    ("BPJS kesehatan saya tiba-tiba tidak aktif waktu mau berobat", "bpjs-kesehatan"),
    ("Klaim JHT sudah sebulan tidak cair di jamsostek", "bpjs-ketenagakerjaan"),
    ("Perlintasan kereta tanpa palang pintu, sudah ada korban", "kai"),
    ("Guru madrasah belum menerima tunjangan sertifikasi dari kemenag", "kemenag"),
    ("Keberangkatan umroh saya batal, travelnya tidak mengembalikan uang", "kemenhaj"),
    ("Pinjol ilegal meneror semua kontak di hp saya", "ojk"),
    ("paspor saya lama sekali jadinya, kuota antrean imigrasi selalu habis", "imigrasi"),
    ("Mobile banking Bima Bank Jateng gagal transfer tetapi saldo terpotong", "bank-jateng"),
    ("wifi indihome mati seminggu teknisi tidak datang", "telkom"),
    ("Kabel telkom menjuntai di tengah jalan membahayakan pengendara", "telkom"),
    ("Hutan jati milik perhutani dijarah setiap malam", "perhutani"),
    ("Kakak saya TKW di Taiwan tidak bisa pulang, penyalurnya lepas tangan", "bp3mi"),
    ("Kosmetik pemutih tanpa izin edar dijual bebas, mengandung merkuri", "bbpom"),
    ("Rest area tol kotor dan saldo e-toll terpotong dua kali di gerbang tol", "jasa-marga"),
    ("Harga gabah anjlok, bulog tidak mau menyerap", "bulog"),
]


@pytest.fixture(scope="module")
def units() -> dict[str, Unit]:
    known = Units.model_validate(YAML(typ="safe").load(PROFILE.read_text(encoding="utf-8")))
    return {unit.id: unit for unit in known.units}


@pytest.fixture(scope="module")
def classifier(units: dict[str, Unit]) -> ColdStartClassifier:
    return ColdStartClassifier(units)


def test_most_complaints_find_their_unit(units: dict[str, Unit], classifier: ColdStartClassifier) -> None:
    first, among, missed = 0, 0, []
    for text, expected in COMPLAINTS:
        assert expected in units, expected
        guessed = [guess.unit for guess in classifier.suggest(text, None).units]
        first += guessed[:1] == [expected]
        among += expected in guessed
        if guessed[:1] != [expected]:
            missed.append((text, expected, guessed))
    shown = "\n".join(map(str, missed))
    assert first / len(COMPLAINTS) >= 0.85, shown
    assert among / len(COMPLAINTS) >= 0.95, shown
