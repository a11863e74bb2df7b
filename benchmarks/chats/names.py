"""Names of many cultures in Latin letters: those that Faker lists, misspellings of them, and others written down from general knowledge.

The recognizers know Faker's names as a gazetteer, so a measurement on these alone would flatter them: half of the people here
have a name that is written by hand or misspelt.
"""

import random
import zlib
from functools import cache

from pipeline.pii import lexicon

GIVEN = """
    Marama Aroha Wiremu Hinemoa Tamati Wirihana Manaia Rangimarie Tevita Sione Malakai Semisi Lupe Fetu Tavita Losa Keahi Kailani Makoa
    Leilani Nalani Seo-yeon Ji-hoon Min-jun Ha-eun Eun-ji Dong-hyun Soo-jin Hye-rin Xiaoyu Zihan Yuchen Mengyao Haoyu Ruoxi Siyuan Jiaqi
    Thuyen Khanh Quynh Bao Ngoc Trung Anh-thu Hieu Phuong Somchai Niran Kanya Anong Prasert Malee Chanthou Sokha Vannak Bopha Thiha Aung
    Khin Myint Zaw Dewi Putri Bagus Wayan Ketut Nyoman Siti Nurul Hafizah Aiman Faizal Rizal Jomar Maricel Rowena Jejomar Analyn Dalisay
    Thilini Chathura Dinesha Nuwan Sanduni Kasun Malsha Anbarasi Kayalvizhi Murugan Senthil Thenmozhi Tamilselvi Elango Venkatesh Srilatha
    Bhargavi Sowmya Naveena Sreejith Bindu Anoop Shijo Reshmi Debjani Soumya Arindam Moumita Sudeshna Gurpreet Jaspreet Navdeep Simranjit
    Harleen Zubair Shahnaz Rukhsana Tahira Waqas Bilquis Zeenat Farrukh Shabnam Golnaz Siavash Parisa Kaveh Mahsa Nasrin Ardeshir Shirin
    Rojda Berivan Zelal Azad Hevin Tamar Nino Giorgi Ketevan Levan Zurab Anahit Arpine Tigran Hayk Lusine Gayane Aysel Elnur Leyla Rauf
    Aizhan Nurlan Dinara Yerlan Gulnara Saltanat Bekzod Dilnoza Shavkat Malika Otabek Chimeg Batbayar Oyuna Tewodros Hiwot Meseret Abebe
    Bethlehem Getachew Selam Yonas Filmon Asmeret Ayaan Hodan Abdirahman Ifrah Faduma Warsame Wanjiru Njoroge Atieno Otieno Chebet Kiprono
    Nakato Wasswa Babirye Okello Uwimana Ndayishimiye Mutesi Thandiwe Sipho Nomvula Bongani Zodwa Lindiwe Mthunzi Tendai Rudo Tafadzwa
    Chipo Farai Adaeze Chinonso Obinna Nneka Uzoma Ifeanyi Olamide Temitope Babatunde Yetunde Oluwadamilola Kehinde Taiwo Aminu Hauwa
    Zainab Musa Kwabena Akosua Yaw Afua Kofi Abena Ousmane Fatoumata Mamadou Aissatou Mariama Cheikh Rado Hery Voahangy Amezzan Tiziri
    Massinissa Noor Rania Ghada Haytham Lujain Reem Wisam Samer Hala Eitan Noga Yael Ayelet Shira Itamar Amaia Ander Nekane Iker Ainhoa
    Gorka Montserrat Oriol Meritxell Jordi Nuria Eluned Angharad Dafydd Llinos Iestyn Myfanwy Caoimhe Tadhg Sorcha Fionnuala Ruairi
    Muireann Gwenael Yannig Nolwenn Erwan Sigrun Gudrun Thorvald Ragnheidur Snorri Aino Eero Kaisa Jukka Sirkka Pekka Tuuli Maret Kaarel
    Ilze Janis Dace Valdis Ruta Jurgita Mindaugas Rasa Vaidotas Zorica Dragana Miroslav Snezana Bojan Tihomir Ljiljana Ivica Blerina
    Arben Fatmir Vjosa Teuta Kostas Evgenia Thanasis Despina Stavroula Yiannis Radka Plamen Desislava Kiril Zdenka Bohumil Jitka Vlasta
    Szabolcs Reka Gergely Emese Zsofia Ilinca Codrut Mihaela Razvan Oleksandr Svitlana Bohdan Yaroslava Nadiya Mykola Evgeniya Lyudmila
    Gennady Xochitl Citlali Itzel Nayeli Tlaloc Yaretzi Atahualpa Illari Sayen Wayra Nahuel Jandira Thiago Iracema Ubirajara Joaquina
    Marlon Shanice Tyrell LaToya DeShawn Keisha Jaleesa Trayvon Bexley Kayleigh Jaxxon Brynlee Maddox Oaklynn Zayden Emberly
""".split()  # noqa: SIM905 - a list would be three pages long
FAMILY = """
    Ngatai Parata Tamihana Waititi Rangihuna Fonoti Tuilagi Faleolo Taufua Vainikolo Kahananui Kealoha Nakamura-Lee Hwangbo Seok Namgung
    Baek Ryoo Sunwoo Ouyang Zhuge Situ Xiang Qiao Guan Ngo Luong Trinh Dinh Truong Phan Wongsakul Srisai Chaiyasit Rattanakosin Sokhom Chea
    Keo Htun Thein Wijaya Sutrisno Kusumawati Hutapea Sitompul Abdullahi Ismail Razak Macaraeg Dimaculangan Batungbakal Magsaysay
    Wickramasinghe Jayawardena Ranasinghe Gunatilleke Muthukumar Palaniappan Thangavelu Rajagopalan Chidambaram Vaidyanathan Yellapragada
    Gollapudi Nallamothu Kuruvilla Puthenpurackal Thekkekara Bandyopadhyay Mukhopadhyay Chattopadhyay Bhattacharjee Dhaliwal Sandhu Grewal
    Bajwa Chaudhry Siddiqui Ansari Kazmi Hosseinzadeh Farrokhzad Tehrani Mousavi Karimi Barzani Talabani Demirtas Beridze Kvaratskhelia
    Lomidze Japaridze Harutyunyan Sargsyan Petrosyan Mammadova Huseynov Nazarbayeva Suleimenov Tulegenov Karimova Rakhmonov Yusupova
    Ganbold Gebremariam Woldemichael Haile Tesfaye Desta Mebrahtu Abdulle Warsameh Farah Kamau Muthoni Ochieng Wekesa Cheruiyot Rotich
    Ssemakula Nsubuga Habimana Niyonzima Dlamini Mkhize Ndlovu Mahlangu Nkosi Zwane Moyo Chikwanha Mukarati Okwuosa Chukwuemeka Onyekachi
    Ugochukwu Obasanjo Ogunleye Akinwale Oyelaran Bello Danjuma Owusu Agyeman Boateng Asante Diallo Keita Toure Ndiaye Rakotomalala
    Randrianasolo Benali Bouazizi Ouazzani Tahiri Al-Harbi El-Khatib Abu-Zaid Bin-Rashid Shalhoub Mizrahi Ben-Ami Peretz Abutbul
    Etxeberria Goikoetxea Agirre Mendizabal Puigdemont Ferrer Casadevall Ap-Rhys Gruffydd Cadwallader Trahaearn Mac-Giolla O'Dwyer
    O'Shaughnessy McGillicuddy Ni-Bhriain Kervella Le-Goff Guivarch Gunnarsdottir Sveinsson Bjornsdottir Virtanen Koskinen Hamalainen
    Rautavaara Tamm Kask Ilves Kalnins Ozolins Berzina Kazlauskas Petrauskaite Jankauskas Stojanovic Kovacevic Djordjevic Vukovic
    Radosavljevic Hoxha Gashi Berisha Papadimitriou Kalogeropoulou Theodorakis Dimitrova Stoyanov Vodickova Prochazka Kratochvil
    Szentgyorgyi Nemeth Kocsis Popescu Dumitrescu Ceausu Kovalenko Shevchuk Tymoshenko Lysenko Kuznetsova Zhdanov Tchaikovskaya
    Tlatelpa Xicohtencatl Quispe Mamani Huanca Condori Huenchulaf Cayuqueo Figueiredo Albuquerque Nascimento Cavalcanti Vasconcelos
    Featherstonehaugh Cholmondeley Oglethorpe Wigglesworth Throckmorton Fotheringham Entwistle Ramsbottom Yazzie Begay Tsosie Nez Zah
    Van-der-Merwe Botha Swanepoel Oosthuizen Terblanche Vermeulen Dijkstra Hoekstra Van-den-Broeck Verhaeghe Zuccarelli Bevilacqua
    Quattrocchi Mastroianni Szczepanski Brzezinski Chrzanowska Wroblewska Przybylski Grzeskowiak Obermeier Zwetschgenbaum Hinterhuber
    Schwarzkopf Knudsen Thorbjornsen Aasland Overgaard Lindqvist Sjoberg Hakansson
""".split()  # noqa: SIM905
FAKER_SHARE = 0.5
MISSPELT_SHARE = 0.12
PARTS = ("dev", "fresh")


def given_name(draw: random.Random, part: str) -> str:
    return _name(draw, part, "GIVEN")


def family_name(draw: random.Random, part: str) -> str:
    return _name(draw, part, "FAMILY")


def _name(draw: random.Random, part: str, kind: str) -> str:
    faker, by_hand = _of_part(part, kind)
    which = draw.random()
    name = draw.choice(faker if which < FAKER_SHARE + MISSPELT_SHARE else by_hand)
    return _misspelt(draw, name) if FAKER_SHARE <= which < FAKER_SHARE + MISSPELT_SHARE else name


@cache
def _of_part(part: str, kind: str) -> tuple[list[str], list[str]]:
    """Faker's names and those written by hand that belong to one of the two parts; a name is in one of them only."""
    by_hand = GIVEN if kind == "GIVEN" else FAMILY
    known = [name.title() for name in sorted(lexicon.names()) if lexicon.frequency(name) < 4.6]
    return tuple([name for name in names if zlib.crc32(name.lower().encode()) % 2 == PARTS.index(part)] for names in (known, by_hand))


def _misspelt(draw: random.Random, name: str) -> str:
    """One letter doubled, dropped, swapped with its neighbour or replaced by one that sounds alike."""
    place = draw.randrange(1, len(name))
    letter = name[place]
    alike = {"i": "y", "y": "i", "c": "k", "k": "c", "s": "z", "z": "s", "v": "w", "w": "v", "f": "ph", "e": "a", "o": "u", "u": "oo"}
    changed = draw.choice([letter * 2, "", alike.get(letter, letter + "h")])
    return name[:place] + changed + name[place + 1 :]
