"""LaporGub's units as they are shipped: made-up complaints find their unit from the first day."""

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from laporhub.classifiers.cold_start import ColdStartClassifier
from laporhub.pipeline.messages import Location
from laporhub.pipeline.profile.schema_units import Unit, Units

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
    # Told the long way, with an address in front, or in other words than the units' own.
    (
        "Selamat pagi Bapak Gubernur, mohon maaf mengganggu. Alamat: Kecamatan Gringsing, Kabupaten Batang. Di kampung"
        " kami air bersih dari perusahaan daerah keruh dan berbau, padahal tagihan jalan terus.",
        "kab-batang",
    ),
    (
        "Assalamualaikum. Kabupaten Kendal, Kecamatan Boja, Desa Mekar. Saya mau tanya, adik saya lulus tapi surat"
        " tanda lulusnya tidak boleh diambil karena masih punya utang di SMA swasta itu.",
        "dinas-pendidikan",
    ),
    (
        "Min truk tanah lewat terus dari bukit yang dikeruk pakai alat berat, izinnya ada tidak? Kami di Wonogiri",
        "dinas-esdm",
    ),
    ("Anak saya ditagih uang seragam di SD kampung sini, daerah Wangon Banyumas", "kab-banyumas"),
    (
        "Tolong lampunya dinyalakan lagi, jalur dari Boyolali ke Selo itu jalan provinsi dan gelap gulita",
        "dishub",
    ),
    ("kenapa nama ibu saya hilang dari daftar penerima bantuan beras dan pkh", "dinas-sosial"),
    ("buruh di pabrik sepatu Jepara dipaksa kerja sampai malam tanpa uang lembur", "disnakertrans"),
    ("mertua saya mau cuci darah ditolak karena kartu jaminannya dinonaktifkan bpjs", "bpjs-kesehatan"),
    ("sudah bayar balik nama sertifikat rumah tapi belum keluar juga dari kantor pertanahan", "bpn"),
    ("Sapi-sapi di desa kami mati kena penyakit mulut dan kuku, belum ada vaksin", "distanak"),
    ("perangkat desa di Kecamatan Sulang kabupaten Rembang minta uang untuk surat pindah", "kab-rembang"),
    ("Pengamen dan anak punk meresahkan di simpang lima kota Semarang", "kota-semarang"),
    (
        "jembatan gantung di Punggelan kabupaten banjarnegara talinya putus, anak sekolah memutar jauh",
        "kab-banjarnegara",
    ),
    ("Jalan tembus kampung kami di Wonosobo tidak tersentuh aspal sejak dulu", "kab-wonosobo"),
    ("Trotoar di kota Pekalongan dipakai pedagang sampai pejalan kaki turun ke jalan", "kota-pekalongan"),
    ("listrik di Karimunjawa sering byar pet", "pln"),
    ("Kapan bonus atlet porprov dicairkan?", "dispora"),
    ("situs lapor ini tidak bisa dibuka dan laporan saya di laporgub tidak dijawab", "diskominfo"),
    ("Tiket masuk obyek wisata ditarik dua kali oleh orang tak dikenal", "disbudparekraf"),
    ("Ada gudang rokok polos tanpa pita cukai di Kudus", "bea-cukai"),
    ("santunan kecelakaan suami saya belum dibayar jasa raharja", "jasa-raharja"),
    ("Tanggul Sungai Wulan di Demak kritis mau jebol", "bbws-pemali-juana"),
    ("Truk kelebihan muatan lolos dari jembatan timbang", "bptd"),
    ("napi pakai hp di dalam lapas dan menipu orang", "ditjenpas"),
    ("Debt collector leasing merampas motor saya di jalan", "ojk"),
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
    assert first / len(COMPLAINTS) >= 0.9, shown
    assert among / len(COMPLAINTS) >= 0.95, shown


@pytest.mark.parametrize(
    ("text", "name", "region"),
    [
        ("jalan rusak di kab. Batang", "Kabupaten Batang", "33.25"),
        ("sampah di Tersono", "Tersono, Kabupaten Batang", "33.25"),
        ("pemkot Semarang tolong, banjir di Pedurungan", "Pedurungan, Kota Semarang", "33.74"),
        ("lampu mati di Kab. Semarang", "Kabupaten Semarang", "33.22"),
        ("kecamatan Karanganyar kabupaten Kebumen", "Karanganyar, Kabupaten Kebumen", "33.05"),
        ("bupati pati tolong turun", "Kabupaten Pati", "33.18"),
        ("pasar di Solo kumuh", "Kota Surakarta", "33.72"),
    ],
)
def test_the_government_of_a_place_is_known(
    classifier: ColdStartClassifier, text: str, name: str, region: str
) -> None:
    place = classifier.suggest(text, None).place
    assert place is not None
    assert region == place.region
    assert name.split(", ")[-1] in place.name or place.name in name


@pytest.mark.parametrize(
    "text",
    [
        "batang pohon tumbang menimpa pagar",
        "air sampai pati bubur",
        "tanah tegal kami kering",
        "ada lubang di jalan Kendal Raya 4",
    ],
)
def test_a_plain_word_or_road_name_is_no_place(classifier: ColdStartClassifier, text: str) -> None:
    place = classifier.suggest(text, None).place
    assert place is None or place.confidence < 0.5


def test_a_city_and_a_regency_of_one_name_are_not_confused(classifier: ColdStartClassifier) -> None:
    doubtful = classifier.suggest("banjir di Semarang", None).place
    assert doubtful is not None
    assert (doubtful.name, doubtful.region) == ("Semarang", None)
    for kind, unit in (("kota", "kota-pekalongan"), ("kab.", "kab-pekalongan")):
        guesses = classifier.suggest(f"sampah menumpuk di {kind} Pekalongan", None).units
        assert guesses[0].unit == unit


def test_the_place_given_with_the_complaint_chooses_the_government(classifier: ColdStartClassifier) -> None:
    for district, unit in (
        ("Tersono", "kab-batang"),
        ("Pedurungan", "kota-semarang"),
        ("Sayung", "kab-demak"),
    ):
        suggestion = classifier.suggest("Sampah tidak diangkut seminggu", Location(district=district))
        assert suggestion.units[0].unit == unit


def test_without_a_place_no_regency_is_guessed_at_random(classifier: ColdStartClassifier) -> None:
    suggestion = classifier.suggest("Sampah menumpuk tidak diangkut", None)
    assert not [guess for guess in suggestion.units if guess.unit.startswith(("kab-", "kota-"))]
    assert not suggestion.sure
    assert suggestion.topic is not None
    assert "sampah" in suggestion.topic


def test_whose_road_it_is_stays_open_where_the_text_does_not_say(classifier: ColdStartClassifier) -> None:
    suggestion = classifier.suggest("jalan berlubang di Kendal", None)
    assert not suggestion.sure
    assert {"kab-kendal", "dinas-pupr", "bbpjn"} == {guess.unit for guess in suggestion.units}


def test_each_unit_finds_its_own_examples(units: dict[str, Unit], classifier: ColdStartClassifier) -> None:
    examples = [(example, unit.id) for unit in units.values() for example in unit.examples]
    found = sum(
        unit in [guess.unit for guess in classifier.suggest(text, None).units] for text, unit in examples
    )
    assert found / len(examples) >= 0.97
