"""Languages as people name them and as translation models spell them: NLLB's codes, M2M100's, or none that is known."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from functools import cache
from typing import Literal

from catalog.errors import UsageError
from catalog.plaintext import one_line

Family = Literal["nllb", "m2m100", "pair", "unknown"]
"""`pair`: the model's name says the two languages (opus-mt-en-de), and nothing is sent."""

_FLORES = re.compile(r"[a-z]{3}_[A-Z][a-z]{3}")
_PAIR = re.compile(r"opus-mt-[a-z]{2,3}-[a-z]{2,3}(?:$|[^a-z])")
_TABLE = """
af afr_Latn Afrikaans|am amh_Ethi Amharic|ar arb_Arab Arabic|ast ast_Latn Asturian|az azj_Latn Azerbaijani
ba bak_Cyrl Bashkir|be bel_Cyrl Belarusian|bg bul_Cyrl Bulgarian|bn ben_Beng Bengali|br - Breton
bs bos_Latn Bosnian|ca cat_Latn Catalan|ceb ceb_Latn Cebuano|cs ces_Latn Czech|cy cym_Latn Welsh
da dan_Latn Danish|de deu_Latn German|el ell_Grek Greek|en eng_Latn English|es spa_Latn Spanish
et est_Latn Estonian|fa pes_Arab Persian|ff fuv_Latn Fulah|fi fin_Latn Finnish|fr fra_Latn French
fy - Western Frisian|ga gle_Latn Irish|gd gla_Latn Scottish Gaelic|gl glg_Latn Galician|gu guj_Gujr Gujarati
ha hau_Latn Hausa|he heb_Hebr Hebrew|hi hin_Deva Hindi|hr hrv_Latn Croatian|ht hat_Latn Haitian Creole
hu hun_Latn Hungarian|hy hye_Armn Armenian|id ind_Latn Indonesian|ig ibo_Latn Igbo|ilo ilo_Latn Iloko
is isl_Latn Icelandic|it ita_Latn Italian|ja jpn_Jpan Japanese|jv jav_Latn Javanese|ka kat_Geor Georgian
kk kaz_Cyrl Kazakh|km khm_Khmr Khmer|kn kan_Knda Kannada|ko kor_Hang Korean|lb ltz_Latn Luxembourgish
lg lug_Latn Ganda|ln lin_Latn Lingala|lo lao_Laoo Lao|lt lit_Latn Lithuanian|lv lvs_Latn Latvian
mg plt_Latn Malagasy|mk mkd_Cyrl Macedonian|ml mal_Mlym Malayalam|mn khk_Cyrl Mongolian|mr mar_Deva Marathi
ms zsm_Latn Malay|my mya_Mymr Burmese|ne npi_Deva Nepali|nl nld_Latn Dutch|no nob_Latn Norwegian
ns nso_Latn Northern Sotho|oc oci_Latn Occitan|or ory_Orya Odia|pa pan_Guru Punjabi|pl pol_Latn Polish
ps pbt_Arab Pashto|pt por_Latn Portuguese|ro ron_Latn Romanian|ru rus_Cyrl Russian|sd snd_Arab Sindhi
si sin_Sinh Sinhala|sk slk_Latn Slovak|sl slv_Latn Slovenian|so som_Latn Somali|sq als_Latn Albanian
sr srp_Cyrl Serbian|ss ssw_Latn Swati|su sun_Latn Sundanese|sv swe_Latn Swedish|sw swh_Latn Swahili
ta tam_Taml Tamil|th tha_Thai Thai|tl tgl_Latn Tagalog|tn tsn_Latn Tswana|tr tur_Latn Turkish
uk ukr_Cyrl Ukrainian|ur urd_Arab Urdu|uz uzn_Latn Uzbek|vi vie_Latn Vietnamese|wo wol_Latn Wolof
xh xho_Latn Xhosa|yi ydd_Hebr Yiddish|yo yor_Latn Yoruba|zh zho_Hans Chinese|zu zul_Latn Zulu
"""
"""M2M100's code, NLLB's code (`-`: it has none), the name: the hundred languages of M2M100."""
_NLLB_ALONE = """
arz_Arab Egyptian Arabic|ary_Arab Moroccan Arabic|apc_Arab Levantine Arabic|asm_Beng Assamese|ayr_Latn Aymara
azb_Arab South Azerbaijani|bam_Latn Bambara|bho_Deva Bhojpuri|bod_Tibt Tibetan|ckb_Arab Central Kurdish
crh_Latn Crimean Tatar|dzo_Tibt Dzongkha|epo_Latn Esperanto|eus_Latn Basque|ewe_Latn Ewe|fao_Latn Faroese
fij_Latn Fijian|fon_Latn Fon|fur_Latn Friulian|gaz_Latn Oromo|grn_Latn Guarani|kab_Latn Kabyle|kas_Arab Kashmiri
kik_Latn Kikuyu|kin_Latn Kinyarwanda|kir_Cyrl Kyrgyz|kmr_Latn Kurdish|kon_Latn Kongo|lij_Latn Ligurian
lim_Latn Limburgish|lmo_Latn Lombard|luo_Latn Luo|lus_Latn Mizo|mai_Deva Maithili|mlt_Latn Maltese|mni_Beng Meitei
mri_Latn Maori|nno_Latn Norwegian Nynorsk|nya_Latn Chichewa|pap_Latn Papiamento|prs_Arab Dari|quy_Latn Quechua
run_Latn Rundi|sag_Latn Sango|san_Deva Sanskrit|sat_Beng Santali|scn_Latn Sicilian|smo_Latn Samoan|sna_Latn Shona
sot_Latn Southern Sotho|srd_Latn Sardinian|szl_Latn Silesian|tat_Cyrl Tatar|tel_Telu Telugu|tgk_Cyrl Tajik
tir_Ethi Tigrinya|tpi_Latn Tok Pisin|tso_Latn Tsonga|tuk_Latn Turkmen|twi_Latn Twi|uig_Arab Uyghur|vec_Latn Venetian
war_Latn Waray|yue_Hant Cantonese|zho_Hant Traditional Chinese
"""
"""What NLLB knows beyond those, by name."""
_NLLB_UNNAMED = """
ace_Arab ace_Latn acm_Arab acq_Arab aeb_Arab ajp_Arab aka_Latn ars_Arab awa_Deva ban_Latn bem_Latn bjn_Arab bjn_Latn
bug_Latn cjk_Latn dik_Latn dyu_Latn hne_Deva kac_Latn kam_Latn kas_Deva kbp_Latn kea_Latn kmb_Latn knc_Arab knc_Latn
ltg_Latn lua_Latn mag_Deva min_Latn mos_Latn nus_Latn pag_Latn shn_Mymr taq_Latn taq_Tfng tum_Latn tzm_Tfng umb_Latn
"""
"""The rest of its 202 codes."""
_OFFICIAL = "facebook/nllb-"
"""Models that know these codes and no others; who trained one further may have given it more."""
_ALSO = {
    "zh-hans": "zho_Hans", "zh-cn": "zho_Hans", "zh-sg": "zho_Hans", "simplified chinese": "zho_Hans", "mandarin": "zho_Hans",
    "zh-hant": "zho_Hant", "zh-tw": "zho_Hant", "zh-hk": "zho_Hant", "nn": "nno_Latn", "nb": "nob_Latn", "te": "tel_Telu",
    "eu": "eus_Latn", "eo": "epo_Latn", "ku": "kmr_Latn", "ky": "kir_Cyrl", "mt": "mlt_Latn", "tt": "tat_Cyrl", "ug": "uig_Arab",
    "tg": "tgk_Cyrl", "tk": "tuk_Latn", "rw": "kin_Latn", "sn": "sna_Latn", "mi": "mri_Latn", "st": "sot_Latn", "om": "gaz_Latn",
}  # fmt: skip
"""Further ways to say what only NLLB knows or tells apart."""
_M2M100_ALSO = {"nb": "no", "iw": "he", "in": "id", "fil": "tl", "mandarin": "zh", "simplified chinese": "zh"}


@dataclass(frozen=True, slots=True)
class Language:
    """One language in both spellings."""

    code: str
    """M2M100's."""
    flores: str | None
    """NLLB's; None: it does not know it."""
    name: str


@cache
def languages() -> tuple[Language, ...]:
    """The languages that are known by name."""
    rows = [row.split(" ", 2) for line in _TABLE.strip().splitlines() for row in line.split("|")]
    return tuple(
        Language(code, None if flores == "-" else flores, name.strip()) for code, flores, name in rows
    )


def family_of(model: str) -> Family:
    """How this model spells languages, as its name tells."""
    name = model.lower()
    if "nllb" in name:
        return "nllb"
    if "m2m100" in name or "m2m-100" in name:
        return "m2m100"
    return "pair" if _PAIR.search(name) else "unknown"


def language_code(model: str, text: str | None, what: str) -> str | None:
    """The code that this model wants for a language typed as a name or a code; None: nothing is sent.

    `what` names it in errors: `source`, `target`. Raises UsageError for a language that the model cannot have or that
    is missing.
    """
    family = family_of(model)
    typed = (text or "").strip()
    if not typed:
        if family in ("nllb", "m2m100"):
            such = "eng_Latn" if family == "nllb" else "en"
            raise UsageError(
                f"{one_line(model, 80)} must be told the {what} language.",
                hint=f"For example --{what}-lang {such}, or --{what}-lang English.",
            )
        return None
    if family == "nllb":
        return _nllb(typed, model)
    if family == "m2m100":
        return _m2m100(typed, model)
    if len(typed) > 40 or any(ch.isspace() or not ch.isprintable() for ch in typed):
        raise UsageError(
            f"How {one_line(model, 80)} spells {one_line(typed, 40)} is not known.",
            hint="Give the code that the model's page names, such as en_XX.",
        )
    return typed  # its page says how; we do not know better


@cache
def _alone() -> dict[str, str]:
    """Name in small letters → code, of what only NLLB knows."""
    rows = [row.split(" ", 1) for line in _NLLB_ALONE.strip().splitlines() for row in line.split("|")]
    return {name.lower(): code for code, name in rows}


@cache
def nllb_codes() -> frozenset[str]:
    """Every code that NLLB-200 was trained with."""
    return (
        frozenset(one.flores for one in languages() if one.flores)
        | set(_alone().values())
        | set(_NLLB_UNNAMED.split())
    )


def _nllb(typed: str, model: str) -> str:
    if typed in nllb_codes() or (_FLORES.fullmatch(typed) and not model.lower().startswith(_OFFICIAL)):
        return typed
    lowered = typed.lower().replace("_", "-")
    code = _ALSO.get(lowered) or _alone().get(lowered)
    code = code or next((one for one in nllb_codes() if one.lower().replace("_", "-") == lowered), None)
    if code is not None:
        return code
    if _FLORES.fullmatch(typed):
        close = difflib.get_close_matches(typed, sorted(nllb_codes()), n=1, cutoff=0.7)
        raise UsageError(
            f"NLLB has no code {typed}.",
            hint=f"Did you mean {close[0]}?" if close else "A name will do: English.",
        )
    found = _find(typed, model)
    if found.flores is None:
        raise UsageError(
            f"NLLB does not know {found.name}.", hint="M2M100 does: facebook/m2m100_418M, for example."
        )
    return found.flores


def _m2m100(typed: str, model: str) -> str:
    lowered = typed.lower().replace("_", "-")
    if (code := _M2M100_ALSO.get(lowered)) is not None:
        return code
    if lowered in _alone() and lowered != "traditional chinese":
        raise UsageError(
            f"M2M100 does not know {one_line(typed, 40)}.",
            hint="NLLB does: facebook/nllb-200-distilled-600M, for example.",
        )
    return "zh" if lowered == "traditional chinese" else _find(typed, model).code


def _find(typed: str, model: str) -> Language:
    wanted = typed.lower().replace("_", "-")
    parts = {wanted, wanted.partition("-")[0] if re.fullmatch(r"[a-z]{2,3}-[a-z]{2,4}", wanted) else wanted}
    for one in languages():
        flores = (one.flores or "").lower()
        names = {one.code, one.name.lower(), flores.replace("_", "-"), flores.partition("_")[0]} - {""}
        if wanted in names or one.code in parts:
            return one
    family = "NLLB" if family_of(model) == "nllb" else "M2M100"
    known = [one.name for one in languages()] + [name.title() for name in _alone() if family == "NLLB"]
    close = difflib.get_close_matches(typed.title(), known, n=1, cutoff=0.7)
    codes = "codes such as eng_Latn" if family == "NLLB" else "codes such as en"
    raise UsageError(
        f"There is no language {one_line(typed, 40)} that is known for {family}.",
        hint=f"Did you mean {close[0]}?" if close else f"It takes names such as English, and {codes}.",
    )
