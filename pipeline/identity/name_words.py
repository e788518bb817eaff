"""Words that are names of people in Indonesia, and words that never are, for `names`. Plain facts of the language.

`NAMES` are hardly ever anything else; `SHARED` are also plain words, streets or firms, and count in company only.
"""

from __future__ import annotations

from typing import Final

_NAMES = """
kornelis marthen marten nayla syahrani yosefina yosefin ode luh sukerti marselinus marselina hermanus albertina
abyasa aceng adhiarja adiarja adika adinata adriansyah almira amrullah angelina anggriawan antonia ardana ardianto
arimbawa arta artanto artawan asmadi asman asmianto astawa aswani atmodikromo bagya banunaek barus batubara belinda
bere bernadeta betania binsar bria cahyanto calista caniago cecep chaniago cicih cinthia cornelia cynthia dabukke
daliman daliono damanik dame dariati darijan darimin darman darmana dartono daryani daulay debora dedeh diah dimaz
dirja dodo dongoran dowansiba edward elisabet ellis elma elvin elvina emong endra eneng engkos engkus enok entin ester
esther fahik fathimah fatima febi felix fernandez gabriella gaiman gandi ghani gilda girsang giyai goreti habibi
hafshah hairyanto halima hamdan hamima hardana hardiansyah hardjowiyono harimurti hariyah harsana harsanto hartana
harto hassanah hehanusa hendrik hendriks heryanto hesti hidayanto hilda hotma hotman humaira hutajulu hutasoit iis
ikah ilsa imbiri imran irnanto irsad ishak iswahyudi ivan jailani jaiman jamil janet jarwadi jasmin jason jayadi
jennifer johan johanes jonggi josef julia jumanto juminah juminem juminten kafiar kalangi kamaria kambu kamila kania
kariman karokaro kartodikromo kartowijoyo karubaba kasiran kasiyah kaunang kezia klau kogoya kokom kornelius krey
kristiana kristianus kromodikromo kusmawati kusumo kuswandari kuswoyo lailasari lamak lasmanto lasmono lasut
latuconsina lawalata lazuardi leatemia legirah legiyo lekatompessy lidia limanto lumbantoruan lumentut lutfan
maharani mahdi mahesa maida mamahit maman mambrasar mandacan mandagi manek mangunsong mansur mantiri manuhutu
manullang manuputty mappanyukki marbun mardhiyah mariadi marsito martaka martana martani martodikromo martowijoyo
mattalatta matulessy melani melkianus mertayasa michelle muchammad murib mursinin mursita nababan nadeak nadine nahak
nanlohy naomi nashiruddin natsir nenobais ngadinem ngadirah ngadiyo ngatemi ngatijo ngatiman ngatimin ngatinem
ngatirah nurdiyanti nurlela okto olivia omay onih oskar padmasari paidi paikem paiman paimo paino pairah pandiangan
pangemanan parlindungan patawari pattiasina pattinasarany paulin pawirodiharjo pelupessy permatasari pesulima piliang
pinem pohan poltak poluan ponijo pranata pranowo prayitna prayoga pudjiastuti purnawati puspasari rahimah raina raisa
rajagukguk ramadan rasyidin rebecca rebeka richard riski ritonga rompas ronald rosdiana rosman rosmauli ruben rumainum
rumaropen rumbiak rumphius runtuwene rusli rusman sabri saefullah safina sahat sahetapy sakimin sakiyem salahudin
salampessy salman salwa samiah samosir sapulette sarah sastrodiharjo septiani seran shakila siahaan sianturi sidabutar
sidiq sihotang sikumbang silaban simanungkalit simson sitanggang sondakh sondang stephen stevanus steven suardana
suardika suarta suartini sudarsana sudiarta sudiati sukarta sukerta sumerta supit surbakti suryatmi sutarna suweca
suwitra syamsul syarifuddin tabuni taek tahitu talia tallo tanete tangkudung tania tanudjaja tanujaya tanuwijaya
tasdik tasnim tefa tenri thamrin tiarma tigor tintin tirtayasa tiur togar tomas tuasikal tuginah tugiyo tuhumury
tumbelaka turnip ucok ujun ulva ulya unang usamah uwais uyainah vanesa vanya victoria viktor vinsensius wagirah
wahyudin wakiman walangitan wanggai wardaya warji warsita wasita wattimena waworuntu wenda widiana william wirda
wiryawan wonda wongsodikromo wowor yance yanyan yayah yayat yeyen yikwa yoseph yovita yoyoh yulianus yuliarti yuniar
yusril zalindra zamira zulaika
simbolon hutagalung nainggolan tobing pardede napitupulu marpaung pangaribuan sirait gultom aritonang tampubolon
hutabarat martinus benediktus bonaventura matius yakobus gabriel rafael mikael agatha sesilia felisia monika brigita
laurensius albertus magdalena margareta kulsum keisha fathul sherly soekirman soedarmono sutarji tukijan
ketut aloysius iqbal evelyn mariska kirno soerjo euis afung butet siok hwa liong tjia njoo oei kwee tjan
abdullah abdullatif abdurrahman abidin achmad ade adelia adhi adinda aditya adnan afandi afif afifah afrida afrizal
agnes agnia agus agustina agustinus ahmad ainun ainur airin aisyah akhmad akiong aldi aldo alfarel alfi alfian ali
alif alifah alika alimah alimin alip alvin alwi amalia amanda amelia aminah aminarti aminuddin amir amirudin amri
anang anastasia andhika andi andika andre andreas andri andriani andy angga anggi anggoro anggraeni anggraini ani
anik anis anisa anissa anita anjar annas annisa anshori ansori antok anton antonius anwar anwari aprilia ardhi ardi
ardian ardiansyah ardiyanto arief arif arifah arifin arina aris ariyadi ariyanti arkan arman arsini arsyad artini
arya aryani aryanto aryati asep ashari asiyah asmanah asmaul asmawati asmuni asnawi asrofi asrori asrul asti astri
astuti astutik aswan atik atin atmaja atun aulia awaludin ayunda ayuningtyas ayyub azhar aziz azizah azka azmi
azzahra azzam badri badriyah badrun badrus bagas baharuddin bahrul bambang banu bardi baryadi basinah basirun basri
basuki bejan bejo benny bernadus biyanto bobby boedi boimin boinem boini boirah bonifasius boniran brian budiarti
budiarto budiman budiono budiyanto budiyono bukhori bunari burhan burhanuddin cahyadi cahyani cahyaningsih cahyati
cahyono candra carolina catherine chairil chamim chandra chasanah chelsea choiriyah choirul christian chusnul cici
cindy cipto clara dadang dahlan dalijo dalimin dalinem daliyem damayanti danang dani daniel danu danuri darma
darmadi darmaji darmanto darmawan darmi darmin darminah darno darsih darsini darsiyem darsono darto darwanto darwati
daryanto daryati daryono david dedi dedy deni denny desi desiana desy devi dewantara dewanto dewantoro dhani dharma
dian diana didik didin dimas dinar dinda dirjo dirman diyah diyono djaelani djamil djoko djumadi djuwadi dodi doni
donny dulkarim dullah dulmanan duriat dwiana dwiyanti dwiyanto dyah edhi edo edwin edwina edy efendi effendi egi
ekawati eko elfrida elias elisa elisabeth eliza ella elly ellyana elvira emilia endah endang endro enny erik erika
erlangga erlina ernawati erni erwanto erwin esti eti eva evi fachri fadhil fadil fadilah fadli fahmi fahri faisal
faiz faizah faizal fajri fajriyah fandi farah farhan farid farida farikha fathoni fathur fatimah fatkhur fatmawati
fauzan fauzi fauziah fauziyah febriana febrianti febriyanti ferdian ferdinand fernando fikri fikriyah fira firda
firdaus firmansyah firnanda fitria fitriani fitriyah fitriyani frans fransisca fransiska fransiskus fuad fuadi galih
galuh ganjar gatot giarto gilang giman gimin gimun ginanjar ginem ginting giyanto giyarti giyem giyono gregorius
gunadi gunarso gunarti gunarto gunawan gusti habib habibah hadiyanto hafid hafidz hafiz haikal hairul halim halimah
hamid hamidah hamzah handayani handayanto handoko handriyani hani hanif hanifah hanna hansen hapsari harahap hardi
hardiyanti hardiyanto harini haris hariyadi hariyanto hariyati hariyono harjanti harjo harjono harmoko harsono
harsoyo hartanto hartati hartini hartono harun harwanto harwati haryadi haryanti haryanto haryati haryono hasan
hasanah hasanuddin hasibuan hasim hasna hasto hastono hastuti hasyim helmi hendarto hendi hendra hendri hendriyanto
hendro hengki heni henny henry herawati herdi herdiansyah heri heriyanto herlambang herlina herman hermanto hermawan
hermin herry heru herutomo hidayanti hidayati hilman himawan husein husna husni hutapea ibnu ibrahim idayati idris
ignatius ihsan iin ijah ikhsan ikhwan iksan ilyas imanuel imroatus imron imronah indarti indra indrawan indrawati
indrayani indriani indriyani inggit irawan irawati irfan iriana irma irsyad irwan irwansyah isabella isak iskandar
ismail ismanto ismiati ismiyati isnaeni isnaini istianah istiqomah istiyani iswanto iwan izza jainem jajang
jamaludin jamari jamilah jarkasi jarwo jasmani jaswadi jatmiko jefri jessica jihan jimmy joko jonathan joni
josephine joshua joyo juari juariah juliana julianto jumadi jumari jumeno jumiati jumingan jumini jumino jumirah
jumiran jumiyati jumiyem junaedi junaidi juwariyah kadek kadir kamaludin kamilah kardi karim karimah kariyem karmila
karno karseno karsidi karsini karsono kartiyem kartono karyadi kasan kasdi kasidi kasinem kasirin kasiyati kasiyem
kasmadi kasman kasmi kasmini kasno kaspin kasri kastam kastini kastubi kaswadi katarina kayla keenan kevin keysha
khadijah khafid khairul khairunnisa khalid khoiri khoirul khoirunnisa khomsah khotimah khusnul kinanti kirana
kismanto kiswanto koeswanto komang komar komariah krismanto krisna krisnawati kristanto kristiani kristianto kristin
kristina kristiyanto kuncoro kurnia kurniasih kurniawan kurniawati kusdi kusmanto kusmiyati kusnadi kusnanto kustini
kustiyah kusumawati kuswanto kuswati laila lailatul laksmi laras larasati larso lasiyem lasmi lasmini lastri latif
latifah legiman legimin leginah legino legiyem leni leonardo lestiani lia liana lidya liem lies lilik lilis lim lina
linawati linda lisa listiani listiyani listyowati lubis lukas lukman luluk lusi lusiana lutfi lutfiana luthfi
madiyono maemunah mahendra mahfud mahmud mahmudah maimunah makruf maksum malikah mamat manisem manto manurung marcel
mardi mardiana mardiyah mardiyanto mardiyono margaretha margono maria maridi marini mariyam mariyanto mariyo marjono
marjuki markus marlina marno marsidi marsih marsinah marsini marsiti marsono marsudi marsudiyanto marti martinah
martini martiyem martono marwan marwati marwiyah marwoto maryadi maryam maryani maryanto maryati maryono mashuri
masinah masitoh masiyem maskun maskur masriah masrukhan masruri masruroh masrurotun mastur masudi maulana maulida
maya mayasari meilani melinda melisa mesinah miarsih michael miftah miftahul mimin minarsih mintarsih mintarti mira
mirna misbah misbahul misman misnah misnan misnati misri misyem mochamad mochammad moeljono mohamad mohammad muamar
muchlis muchsin muchtar mudasir mudiyono mudjiono mudrikah mufid muflikhah mugiyanto mugiyono muhaimin muhamad
muhammad muhayati muhlis muhlisin muhsin muhyidin mujahidin mujiati mujiono mujiyono mukhlis mukidi mukti muljono
mulyadi mulyana mulyanah mulyani mulyanto mulyati mulyono munasir munawar munawaroh mundakir mundari munfarida munir
munjiyah muntamah muntasir murdiyanto murniasih murniati mursid mursidi murtinah murtini murtono muryanto musa
musinah musiyem muslih muslikhah muslimah muslimin musrifah mustafa mustakim musthofa mustofa musyafa mutia
mutmainah mutmainnah muzaki muzayanah nabila nadhif nadia nadya nafisah naila najib najwa nanang nanda nanik naning
nardi narimo narti narto narwan nasikhin nasikin nasir nasirun nasrullah nasution natalia nathan naufal nazwa neneng
neni ngadi ngadiman ngadimin ngadinah ngadino ngadirin ngadiyem ngaisah ngasinah ngasiyem ngatijan ngatinah ngatini
ngatiyem ngatman ngatno nia nicholas nila nindya ning ningrum ningsih nining nirmala nisa nita nizar noer nofi
nofita nopi novi novia novianti novita novitasari nugraha nugroho nuning nunung nuraeni nuraini nurbaiti nurcahyo
nurdiana nurdin nurfitri nurhadi nurhaliza nurhasanah nurhayati nurhidayah nurhidayat nuriyah nurjanah nurkholis
nurlaela nurlaila nurlina nurmala nurrohman nursalim nurul nurwahid nuryadi nuryanti nuryanto nyoman obaja oentoeng
oki okta oktavia oktaviani padmi padmo paijan paijem paijo paimin paimun painem pandapotan panijan paniyem panjaitan
paramita parijan parjo parman parmin parsini parsiyem parti partinah partini partiyem parto partono parwanto parwati
parwoto paryono pasaribu patricia paulus petrus poerwanto ponco ponidi ponijah ponijan poniman ponirah poniran
ponirin poniyem prabowo pradana pradipta pramana pramesti pramono pramudya pranoto prasetiyo prasetya prasetyani
prasetyawati prasetyo prastowo pratiwi pratomo prayitno prayogo prihantoro prihartini prihatini priyadi priyanto
priyatmoko priyatno priyo priyono pujiastuti pujiati pujiono pujo purba purnomo purnomosidi purwadi purwandi
purwaningsih purwanta purwanti purwanto purwati purwito purwoko purwono puspita puspitasari putu rachmad rachman
rachmawati racmat radiman radin radinah radit raditya raffi rafi rafif rahardjo raharjo rahayuningsih rahma rahmad
rahman rahmania rahmawati rahmayanti raihan rakhmawati rakiman rakinem ramdan ramdhani ramli rangga rani ranto
rasman rasmi rasno rasyid ratih ratman ratmi ratmini ratmono ratnasari ratnawati ratno rendi rendra rendy reni renny
reno resti retno reva revan reza rian riana ribowo ricky rifai rifki rifqi rika riki rina rinawati rini riska risma
rismanto rismawati rismiyati ristiana riswanto rita riyadi riyan riyanti riyanto rizal rizka rizki rizky rizqi robby
robert robi rochmad rofiq rohani rohayati rohmah rohman rohmat rokayah rokhani rokhim rokhmad rokim romlah romli
ronggo roni rosa rosalia rosidah rosidi rosihan rosita rosmala rosmiati rosyid rubinah rubini rubiyanto rubiyem rudi
rudianto rudy rukinah rukiyah rukmana rukmini ruminah rumini rumiyanto rumiyati rusdi rusdiana rusdianto ruslan
rusmanto rusmawati rusmini rusmiyati rusmiyem rustam rustini ruswanto ruswati rusyadi ryan saadah sabrina sadewo
sadikin sadiman sadinem sadino sadirin sadiyah saeful saepul safaat safira safitri sahid sahrul saiful saiman sainah
sajad sakiman sakinem salamun saleh salikin salim salimah salinem salma salmiyah salsabila samad samidi samijan
saminah samini samino samiono samirah samiran samirin samsudin samsul samuel samuji sandra sandy sanimin sanjaya
sanjoto santi santini santoso sanusi sapto saptono saragih sardi sardiman saridi sarijan sariman sarimin sarinah
sarini sariyem sarjo sarjono sarjuni sarmi sarmin sarmini sarniti sarno sartika sartini sartono sarwini sarwo
sarwono saryono sasongko sastro satriyo selly selvi sembiring senthot septi septian septiana serly setiadi
setianingsih setiawan setiawati setiyono setyani setyaningsih setyanto setyawan setyawati setyo setyobudi setyono
setyorini setyowati sholeh sholihah sholikhah sholikin sigit sihombing silalahi silvi silvia simanjuntak simatupang
simin simon sinaga sinem sinta sintia sipon siregar siska siswadi siswandi siswanto siswati siswo siswoko siswono
siswoyo siti sitinah sitompul sitorus situmorang sobirin soekarno soimah soleh solekan solekhah solihin solikhin
solikin somad sonia sriningsih sripah sriwahyuni sriyani sriyanto sriyati sriyono stefanus stephanie subagyo subandi
subarkah subechi subekti subianto subiyanto subroto sucipto sudarmaji sudarman sudarmanto sudarmi sudarmo sudarno
sudarsono sudarti sudartini sudaryanto sudibyo sudijono sudiman sudirjo sudirman sudiro sudiyem sudiyono sudjatmiko
sueb sugianto sugiarti sugiarto sugiharto sugimin sugino sugiono sugito sugiyanto sugiyarti sugiyarto sugiyono
suhadi suhana suhardi suharjo suharno suharsono suharti suhartinah suhartini suharto suhartono suharyanto suhendra
suherman suherni suhirman sujadi sujana sujarwo sujatmiko sujiati sujilah sujiman sujinah sujito sujiyem sujono
sukamto sukardi sukarni sukarno sukarsih sukartini sukasmi sukesi sukidi sukiman sukimin sukinah sukini sukir
sukirman sukirno sukiyah sukiyat sukiyem sukiyono sukmawati sukoco sukoyo sulaiman sularmi sularno sularto sulasih
sulasmi sulastri suliati sulis sulistiani sulistiyo sulistiyono sulistyani sulistyo sulistyono sulistyowati
suliyanto suliyem sumadi sumanto sumardi sumarjo sumarlin sumarmi sumarna sumarni sumarno sumarsih sumarsono
sumartini sumarwan sumaryanto sumaryati sumaryono sumedi sumeri sumiarsih sumiati sumijah sumijan sumini sumirah
sumitro sumiyati sumiyem sumpeno sunandar sunanto sunardi sunarko sunarmi sunarni sunarno sunarsih sunarti sunarto
sunaryo sundari suniti sunoto suntoro supadmi supangat supardi suparinah suparjan suparjo suparlan suparman suparmi
suparmin suparno suparti suparto suparyanto supeno suprapti suprapto supraptono supri supriadi supriatin suprihatin
supriyadi supriyanto supriyati supriyatin supriyono suradi suraji suranto suratman suratmi suratmin suratno surini
suripno suripto suriyah surono suroso suroto surtini suryadi suryana suryani suryaningsih suryanto suryati suryono
susanti susanto susetyo susi susiana susiati susilawati susilo susilowati susmanto susmiati suswanto suswati sutanto
sutardi sutari sutarjo sutarmi sutarmin sutarno sutarti sutejo suti sutinah sutini sutiyah sutiyem sutiyono sutomo
sutopo sutoyo sutrimo sutrisni sutrisno suwandi suwanto suwardi suwarni suwarno suwarsih suwarti suwarto suwaryo
suwignyo suwito suwondo suyadi suyanti suyanto suyati suyatmi suyatno suyitno suyono suyoto syafii syafrudin syahrul
syaifudin syaiful syamsudin syarif syarifah syarifudin syifa tambunan taminah tamrin tamsir tanoto tanti tantri
tarigan tarmi tarmuji tarno tarsinah tarsono taryati taryono tasmi tasmin tasripin tasya tatang tatik taufik taufiq
teddy tejo temmy theresia thomas tiara timotius titi titin titis titisari toha tohari tohir tohirin tomi tommy toni
tono totok towilah triana triani trianto triastuti tribowo trimah trimo triono trisna trisno triwahyuni triwibowo
triyanto triyono tugiman tugimin tugini tugirin tugiyem tukijo tukiman tukimin tukinem tukini tukirah tukiran
tukiyem tukiyo tumijan tuminah tuminem tumini tumino tumirah tumirin tumiyem turiman turini turiyah turmini turmudi
tursinah turyati tuti tutik tutus udin ujang ulfa ulfah ulfiyah ulil ulin ulum umami umar umi umiyati ummi ursula
usman utami utomo vania vera verawati vero veronica veronika vicky victor vina vincent vino viona virgiawan vitriani
vivi wadiyo wagiman wagimin wagino wagiyem wagiyo wahid wahyono wahyudi wahyuni wahyuningsih wajiyem wakhid wakidi
wakijan wakijo wakinah walgito walid walidi walinah waluyo wanda wanti wanto wardani wardi wardoyo waridi wariman
wariyem warjiyem warjo warseno warsidi warsini warsito warso warsono warti wartini wartono waryono wasimin wasinah
wasini wasis wasito waskito wati wawan wayan welas weni wibisono wibowo wicaksana wicaksono widagdo widarti widarto
widayanti widayat widhi widi widianto widiastuti widiyanti widiyanto widjaja widodo widowati widya widyanto widyarto
widyastuti widyawati wiharto wijayanti wijayanto wiji wijonarko wildan willy winanto winarni winarno winarsih
winarti winarto winda windi wira wirawan wiryo wiryono wisnu wisnuwardhana wiwik wiwin wiyono wulan wulandari
wulansari wuryani wuryanti yahya yanti yanto yanuar yasin yasir yasmin yati yatiman yatini yatmi yatno yayan yayuk
yekti yeni yenny yessi yoga yogi yohan yohana yohanes yolanda yosef yosep yosi yosua yudha yudhi yudi yudistira
yudiyanto yuli yulia yuliana yuliani yulianti yulianto yuliastuti yuliati yulis yulistiani yuliyani yuliyanto yuni
yuniarti yunita yunus yupita yusnia yusnita yusron yustina yusuf yusup yuyun zaenab zaenal zaenudin zahra zahrotun
zainab zainal zaini zainuddin zainudin zakaria zaki zakiyah zamroni zidan zubaidah zuhri zulaikha zulfa zulfikar
zulkarnain zulkifli zumaroh
"""
_SHARED = """
agan ayi baso daeng edison gina jaka kalim karman lukita lydia muslim oman tanjung usada
abadi abdul abu adi adil agung aji akbar al alam alfa amanah amara amin ana andalan anom antara ari arjuna arum asih
asri ayu bagus bakri bakti baskara bayu berkah bima bintang budi bunga cahaya cahya cahyo cantik catur cinta citra
cucu dahlia damar darmo darussalam delima dewa dewi dika dina dini diponegoro dwi edi eka elok emas fajar febri feri
ferry firman fitri gading gajah gandung gemilang gita guntur hadi hakim hana harapan hari hidayah hidayat icha ika
ilham imam iman ina indah intan isa ita jamal januar jati jaya jono jujur kamal kartika kartini kasih kencana kiki
krida kris kumala kusuma lestari lili liman ling lis lulu made mahardika maju makmur malik mangun manis martha
mawar mega mei mekar melati melur meta mila mina mitra moch moh mubarok muda mulia mulya murni mustika mutiara nana nani
nina nur nusa padma pamungkas panca pandu pangestu panji pelangi pelita perdana permana permata pertiwi pratama
prihatin puji purnama puspa putra putri raden rahayu rahmat raka rama ramadhan ramadhani ratna ratu rejeki rejo ria
ribut ridho ridwan rio roy saban sabar salamah sami sandi santosa saputra saputro saraswati sari satria satrio
sejahtera sejati sekar sekawan sentosa setia seto sinar slamet sony sri subur suci sugeng sukses sumber surati surip
surya syukur tan taufan teguh tika tina tini tirta titik topan toto tri tulus tunggal ugi unggul untung upik utama
vita wahana wahyu wangi wardana warih wening widada wijaya windu wiyata wono yani yono yuda yudana yusa
"""

NAMES: Final = frozenset(_NAMES.split())
SHARED: Final = frozenset(_SHARED.split())
