//! How well the name of a column fits the words for a field, whatever the case, the accents and what stands between its
//! parts, and whatever its producer puts in front of it or behind it.

pub(super) use super::words::*;

/// A name that scores less than this says nothing of a field.
pub(super) const NAMED: u32 = 30;
/// A name that is one of those of a field, whole, scores at least this.
pub(super) const WHOLE: u32 = 70;
/// What a whole name scores that may mean something else as well.
const WEAK: u32 = 55;

/// What producers put in front of the names of tables and columns.
const PREFIXES: [&str; 20] = [
    "t", "tbl", "tab", "dim", "fact", "fct", "src", "stg", "v", "vw", "c", "f", "z", "zz", "fk", "pk", "k", "s", "str",
    "n",
];

/// A column's name in its parts.
#[derive(Debug)]
pub(super) struct Name {
    parts: Vec<String>,
    compact: String,
    /// The whole name in other forms: without a prefix, and without the table or group in front of it.
    others: Vec<String>,
    /// Whether it says that a time is in UTC.
    is_of_utc: bool,
}

impl Name {
    pub(super) fn of(column: &str) -> Name {
        // Salesforce: Visit__c is a field of the customer's own.
        let plain_end = ["__c", "__r", "__pc"].iter().find_map(|end| {
            let start = column.len().checked_sub(end.len())?;
            let (name, behind) = (column.get(..start)?, column.get(start..)?);
            behind.eq_ignore_ascii_case(end).then_some(name)
        });
        let column = plain_end.unwrap_or(column);
        let all = parts(column);
        let mut others = vec![without_prefix(&all)];
        // t_visit.visit_id, group_visit/store_code
        let own = column.rsplit(['.', '/', ':']).next().unwrap_or(column);
        // visit_group-store_code
        let is_group = |(group, _): &(&str, &str)| {
            parts(group).iter().any(|part| ["group", "grp", "meta"].contains(&part.as_str()))
        };
        let own = own.rsplit_once('-').filter(is_group).map_or(own, |(_, own)| own);
        let own = Some(parts(own)).filter(|own| !own.is_empty() && own.len() < all.len());
        if let Some(own) = &own {
            others.extend([own.concat(), without_prefix(own)]);
        }
        let compact = all.concat();
        others.retain(|other| !other.is_empty() && *other != compact);
        let parts = own.unwrap_or(all);
        let is_of_utc = says_utc(&column.to_lowercase(), &parts);
        Name { parts, compact, others, is_of_utc }
    }

    /// Whether two columns have the same name, but for case and what stands between the words.
    pub(super) fn is(&self, other: &Name) -> bool {
        !self.compact.is_empty() && self.compact == other.compact
    }

    /// Whether it is the name of a field itself.
    pub(super) fn is_field(&self, field: &str) -> bool {
        self.compact == field.replace('_', "")
    }

    /// Whether it says that a time is in UTC: `start_utc`, `Start (GMT)`.
    pub(super) fn is_of_utc(&self) -> bool {
        self.is_of_utc
    }

    /// Whether it says that it is a key, but not of what.
    pub(super) fn is_bare(&self) -> bool {
        ["id", "guid", "uuid", "key"].contains(&self.compact.as_str())
    }

    /// Whether one of its parts is among these words.
    pub(super) fn says(&self, words: &str) -> bool {
        words
            .split_whitespace()
            .any(|word| self.parts.iter().any(|part| part == word) || (word.len() > 5 && self.compact.contains(word)))
    }

    /// How well the name fits the words for a field, from 0 to 100; see [`NAMED`].
    pub(super) fn score(&self, words: &Words) -> u32 {
        let forms = || std::iter::once(&self.compact).chain(&self.others);
        let whole = forms().filter_map(|form| {
            let rank = |line: &&str| line.split_whitespace().position(|exact| exact == form);
            words.exact.iter().filter_map(rank).min().map(|rank| 100 - (rank as u32).min(100 - WHOLE))
        });
        if let Some(score) = whole.max() {
            return score;
        }
        if forms().any(|form| words.weak.split_whitespace().any(|weak| weak == form)) {
            return WEAK;
        }
        // Short words occur in many others: date in update, end in calendar.
        let has =
            |word: &str| self.parts.iter().any(|part| part == word) || (word.len() > 5 && self.compact.contains(word));
        let starts = |word: &str| has(word) || (word.len() > 3 && self.parts.iter().any(|part| part.starts_with(word)));
        let any = |words: &str, fits: &dyn Fn(&str) -> bool| words.split_whitespace().any(fits);
        match (any(words.base, &starts), any(words.bad, &has)) {
            (false, _) => 0,
            (true, true) => 10,
            (true, false) if any(words.good, &|word| has(word) || self.compact.ends_with(word)) => 50,
            (true, false) => 40,
        }
    }
}

/// Whether a name in small letters says UTC. `Start (UTC+2)` does not.
fn says_utc(column: &str, parts: &[String]) -> bool {
    ["utc", "gmt"].iter().any(|word| {
        let is_there = parts.iter().any(|part| part == word || part.len() > 3 && part.ends_with(word));
        let has_offset =
            column.split(word).skip(1).any(|behind| behind.trim_start().starts_with(['+', '-', '\u{2212}', '\u{b1}']));
        is_there && !has_offset
    })
}

/// The words of a text in one, as lists of words have them: `In Progress` is `inprogress`.
pub(super) fn compact(text: &str) -> String {
    parts(text).concat()
}

/// The parts of a name, in small letters without accents.
fn parts(name: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut part = String::new();
    let mut before = ' ';
    let letters: Vec<char> = name.chars().collect();
    for (at, &letter) in letters.iter().enumerate() {
        // visitGuid, SceneID, HTTPTime: a part ends before a capital that starts a word.
        let next_is_small = letters.get(at + 1).is_some_and(|next| next.is_lowercase());
        let starts = letter.is_uppercase() && (!before.is_uppercase() || next_is_small) && before.is_alphanumeric();
        if (starts || !letter.is_alphanumeric()) && !part.is_empty() {
            parts.push(std::mem::take(&mut part));
        }
        if letter.is_alphanumeric() {
            for letter in letter.to_lowercase().filter(|letter| letter.is_alphanumeric()) {
                push_plain(&mut part, letter);
            }
        }
        before = letter;
    }
    if !part.is_empty() {
        parts.push(part);
    }
    parts
}

/// A name without what stands in front of it, where something is left.
fn without_prefix(parts: &[String]) -> String {
    match parts {
        [first, rest @ ..] if !rest.is_empty() && PREFIXES.contains(&first.as_str()) => rest.concat(),
        _ => parts.concat(),
    }
}

/// A letter without its accent, as far as the languages of the lists have them.
fn push_plain(out: &mut String, letter: char) {
    out.push(match letter {
        'á' | 'à' | 'â' | 'ã' | 'ä' | 'å' | 'ą' => 'a',
        'é' | 'è' | 'ê' | 'ë' | 'ę' | 'ě' => 'e',
        'í' | 'ì' | 'î' | 'ï' | 'ı' => 'i',
        'ó' | 'ò' | 'ô' | 'õ' | 'ö' | 'ő' | 'ø' => 'o',
        'ú' | 'ù' | 'û' | 'ü' | 'ű' | 'ů' => 'u',
        'ñ' | 'ń' | 'ň' => 'n',
        'ç' | 'ć' | 'č' => 'c',
        'ł' => 'l',
        'ğ' => 'g',
        'ś' | 'š' | 'ş' | 'ș' => 's',
        'ź' | 'ż' | 'ž' => 'z',
        'ř' => 'r',
        'ß' => return out.push_str("ss"),
        other => other,
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn best(names: &[&'static str], words: &Words) -> &'static str {
        // The first of equals.
        let scored = names.iter().rev().max_by_key(|name| Name::of(name).score(words));
        scored.copied().filter(|name| Name::of(name).score(words) >= 30).unwrap_or_default()
    }

    #[test]
    fn columns_of_five_languages_find_their_fields() {
        let english = ["visitGuid", "store_code", "check_in", "check_out", "rep", "visit_type", "store_name"];
        let german = ["Besuchsnummer", "Filialnummer", "Beginn", "Ende", "Mitarbeiter", "Besuchsart", "Filialname"];
        let spanish = ["id_visita", "tienda", "inicio", "fin", "correo", "tipo_visita", "nombre_tienda"];
        let french =
            ["N° visite", "Code magasin", "Heure début", "Heure fin", "Courriel", "Type de visite", "Nom magasin"];
        let portuguese = ["ID da visita", "Cód. Loja", "Início", "Término", "E-mail", "Tipo de visita", "Nome da loja"];
        for names in [english, german, spanish, french, portuguese] {
            for (words, expected) in [(VISIT_ID, 0), (STORE, 1), (START, 2), (END, 3), (EMAIL, 4), (TYPE, 5)] {
                assert_eq!(best(&names, &words), names[expected], "of {names:?}");
            }
        }
        assert_eq!(best(&["url", "SceneID", "visit_id"], &SCENE), "SceneID");
        assert_eq!(best(&["foto_url", "Foto-Nr.", "Aufgabe"], &IMAGE), "Foto-Nr.");
        assert_eq!(best(&["Status", "Aufgabe", "Aufgabenstatus"], &TASK), "Aufgabe");
    }

    #[test]
    fn more_languages_and_what_producers_put_around_names() {
        let italian = ["ID Visita", "Codice Negozio", "Ora Inizio", "Ora Fine", "Venditore", "Tipo di visita"];
        let dutch = ["bezoeknummer", "winkelnummer", "starttijd", "eindtijd", "medewerker", "bezoektype"];
        let polish = ["Nr wizyty", "Kod sklepu", "Rozpoczęcie", "Zakończenie", "Przedstawiciel", "Typ wizyty"];
        let turkish = ["Ziyaret No", "Mağaza Kodu", "Başlangıç Saati", "Bitiş Saati", "E-posta", "Ziyaret Tipi"];
        let tables = [
            "t_visit.visit_id",
            "t_visit.store_code",
            "t_visit.check_in",
            "t_visit.check_out",
            "u.email",
            "t_visit.visit_type",
        ];
        let salesforce = ["Visit__c", "Store__c", "Start_Time__c", "End_Time__c", "Rep_Email__c", "Visit_Type__c"];
        let forms = [
            "visit/visit_id",
            "visit/store_code",
            "visit/start_time",
            "visit/end_time",
            "visit/rep_email",
            "visit/visit_type",
        ];
        for names in [italian, dutch, polish, turkish, tables, salesforce, forms] {
            for (words, expected) in [(VISIT_ID, 0), (STORE, 1), (START, 2), (END, 3), (EMAIL, 4), (TYPE, 5)] {
                assert_eq!(best(&names, &words), names[expected], "of {names:?}");
            }
        }
        assert_eq!(best(&["image_name", "photo group"], &SCENE), "photo group");
        assert!(Name::of("planned_start").says(PLANNED) && Name::of("ActualVisitStartTime").says(ACTUAL));
        assert!(!Name::of("plant").says(PLANNED) && Name::of("geplant").says(PLANNED));
    }

    #[test]
    fn names_that_only_look_alike_are_strangers() {
        assert_eq!(Name::of("calendar_week").score(&END), 0);
        assert_eq!(Name::of("updated").score(&DATE), 0);
        assert!(Name::of("created_date").score(&DATE) < 30);
        assert!(Name::of("visit_status").score(&VISIT_ID) < 30);
        assert_eq!(Name::of("report").score(&EMAIL), 0);
        assert_eq!(Name::of("").score(&STORE), 0);
        assert!(
            ["start_utc", "Start (UTC)", "started_at_gmt", "startUTC"].iter().all(|name| Name::of(name).is_of_utc())
        );
        assert!(!["Start (UTC+2)", "start GMT-01:00", "start"].iter().any(|name| Name::of(name).is_of_utc()));
    }
}
