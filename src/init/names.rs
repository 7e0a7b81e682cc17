//! What the columns of exports are called: the words for each field in English, German, Spanish, French and
//! Portuguese, without accents, case, `_` and spaces.

/// A name that scores less than this says nothing of a field.
pub(super) const NAMED: u32 = 30;

/// The words for a field, in lists with spaces between them.
#[derive(Debug)]
pub(super) struct Words {
    /// Whole names, the likeliest first.
    exact: &'static str,
    /// Parts of a name that say it is this field.
    base: &'static str,
    /// Parts that make it likelier.
    good: &'static str,
    /// Parts that say it is something else.
    bad: &'static str,
}

const IDENTIFIERS: &str = "id uid guid uuid key code cod codigo number num numero no nr nummer ref reference clave cle chave \
    schluessel schlussel";

pub(super) const VISIT_ID: Words = Words {
    exact: "visitid visituid visitguid visituuid visitkey visitnumber visitno visitnr visitcode visitref visit \
        sessionid sessionuid callid auditid besuchsnummer besuchsnr besuchsid besuchid besuch idvisita \
        visitaid numerovisita codigovisita visita idvisite visiteid numerovisite visite id guid uuid key",
    base: "visit besuch session",
    good: IDENTIFIERS,
    bad: "type typ tipo art date datum fecha data time start end beginn ende status count scenes by name \
        duration notes client scene",
};

pub(super) const STORE: Words = Words {
    exact: "storenumber storecode storeno storenr storeid store outletcode outletnumber outletid outlet shopcode \
        shopnumber shopid shop poscode posid pos locationcode locationid branchcode branchid branch sitecode \
        siteid site filialnummer filialnr filialid filiale marktnummer marktnr markt idtienda codigotienda \
        numerotienda tienda sucursal codigopdv idpdv pdv puntoventa puntodeventa codemagasin numeromagasin \
        idmagasin magasin pointdevente codigoloja codloja idloja numeroloja loja pontodevenda customercode \
        customernumber customerid kundennummer kundennr cliente idcliente codigocliente codeclient location",
    base: "store outlet shop filial markt tienda sucursal magasin loja pdv branch kunden",
    good: IDENTIFIERS,
    bad: "name nombre nom nome address adresse direccion endereco city stadt ciudad ville cidade type typ tipo \
        chain banner region country manager email mail group gruppe phone zip lat lon zone time start end",
};

pub(super) const DATE: Words = Words {
    exact: "visitdate dateofvisit sessiondate date visitday day calldate auditdate besuchsdatum besuchstag datum \
        tag fechavisita fechadevisita fecha dia datevisite datedevisite jour datavisita datadavisita \
        datadevisita data",
    base: "visitdate datum fecha date data",
    good: "visit visita visite besuch besuchs session",
    bad: "created updated modified erstellt geandert creacion creation modification export end ende fin fim \
        birth upload sync inserted loaded",
};

pub(super) const START: Words = Words {
    exact: "sessionstarttime sessionstart starttime startedat startat visitstart visitstarttime startdatetime \
        starttimestamp startts start started begin beginat begintime begunat checkin checkintime checkinat \
        checkedinat arrival arrivaltime arrivedat timein beginn besuchsbeginn startzeit besuchsstart \
        beginnzeit anfang ankunft inicio horainicio horadeinicio fechainicio fechahorainicio iniciovisita \
        entrada horaentrada llegada horallegada debut heuredebut datedebut debutvisite heuredarrivee arrivee \
        datainicio datahorainicio datahora chegada horachegada fechahora visittime visitedat visittimestamp \
        timestamp datetime zeitpunkt horodatage time zeit hora heure",
    base: "start begin checkin checkedin arriv inicio debut beginn ankunft entrada llegada chegada",
    good: "time at ts zeit hora heure timestamp datetime visit session fecha data",
    bad: "end ended ende zone timezone tz lat lon latitude longitude by status",
};

pub(super) const END: Words = Words {
    exact: "sessionendtime sessionend endtime endedat endat visitend visitendtime enddatetime endtimestamp endts \
        end ended finish finishedat finishtime stop stoptime stoppedat checkout checkouttime checkoutat \
        checkedoutat departure departuretime leftat timeout closedat completedat ende besuchsende endzeit \
        endezeit abfahrt fin horafin horadefin fechafin fechahorafin finvisita salida horasalida heurefin \
        datefin finvisite depart fim horafim datafim datahorafim saida horasaida termino horatermino",
    base: "finish checkout checkedout departure salida saida ende end ended fin fim stop termino",
    good: "time at ts zeit hora heure timestamp datetime visit session fecha data",
    bad: "start zone timezone tz lat lon latitude longitude by status calendar",
};

pub(super) const TYPE: Words = Words {
    exact: "visittypeid visittype visittypecode sessiontype calltype visitkind besuchsart besuchstyp \
        besuchsartid tipovisita tipodevisita idtipovisita typevisite typedevisite idtypevisite typeid type \
        typ art tipo",
    base: "visittype besuchsart besuchstyp tipovisita tipodevisita typevisite typedevisite",
    good: IDENTIFIERS,
    bad: "name nombre nom nome description",
};

pub(super) const EMAIL: Words = Words {
    exact: "emailaddress repemail useremail email agentemail mail rep user username agent merchandiser auditor \
        mitarbeiter benutzer emailadresse mailadresse correo correoelectronico usuario promotor courriel \
        adressemail utilisateur vendeur emailutilizador usuarioemail vendedor login",
    base: "email mail correo courriel mitarbeiter user usuario rep",
    good: "rep user agent mitarbeiter usuario utilisateur",
    bad: "store manager supervisor client customer filial tienda magasin loja boss",
};

pub(super) const CLIENT_UID: Words =
    Words { exact: "clientsessionuid clientsessionid clientuid clientvisitid", base: "", good: "", bad: "" };

pub(super) const ZONE: Words = Words {
    exact: "timezone tz timezoneid tzid tzname storetimezone localtimezone ianatimezone zeitzone zonahoraria \
        husohorario huso fuseauhoraire fuseau fusohorario fuso utcoffset offset zone",
    base: "timezone zeitzone zonahoraria fuseau fusohorario utcoffset tz",
    good: "",
    bad: "",
};

pub(super) const SCENE: Words = Words {
    exact: "sceneid sceneuid sceneguid sceneuuid scenekey scenenumber sceneno scenecode scene photoid photouid \
        photoguid photo pictureid imageid imageuid shotid captureid szenenid szenennummer szenennr szene \
        fotoid fotonummer bildid bildnummer aufnahme aufnahmeid idescena escenaid escena idfoto idimagen \
        idscene idphoto numerophoto idcena cenaid cena id guid uuid key",
    base: "scene photo picture image szene foto bild escena cena aufnahme",
    good: IDENTIFIERS,
    bad: "photos count type name url path status time date visit task quality taken at",
};

pub(super) const TASK: Words = Words {
    exact: "taskcode taskid taskkey task taskname aufgabencode aufgabennummer aufgabe codigotarea tareacodigo \
        idtarea tarea codetache tachecode idtache tache codigotarefa idtarefa tarefa scenetype scenetypecode \
        category kategorie categoria categorie",
    base: "task aufgabe tarea tache tarefa",
    good: IDENTIFIERS,
    bad: "status count time date start end at",
};

/// A column's name in its parts.
#[derive(Debug)]
pub(super) struct Name {
    parts: Vec<String>,
    compact: String,
}

impl Name {
    pub(super) fn of(column: &str) -> Name {
        let mut parts: Vec<String> = Vec::new();
        let mut part = String::new();
        let mut before = ' ';
        let letters: Vec<char> = column.chars().collect();
        for (at, &letter) in letters.iter().enumerate() {
            // visitGuid, SceneID, HTTPTime: a part ends before a capital that starts a word.
            let next_is_small = letters.get(at + 1).is_some_and(|next| next.is_lowercase());
            let starts = letter.is_uppercase() && (!before.is_uppercase() || next_is_small) && before.is_alphanumeric();
            if (starts || !letter.is_alphanumeric()) && !part.is_empty() {
                parts.push(std::mem::take(&mut part));
            }
            if letter.is_alphanumeric() {
                part.extend(letter.to_lowercase().map(plain));
            }
            before = letter;
        }
        if !part.is_empty() {
            parts.push(part);
        }
        let compact = parts.concat();
        Name { parts, compact }
    }

    /// Whether two columns have the same name, but for case and what stands between the words.
    pub(super) fn is(&self, other: &Name) -> bool {
        !self.compact.is_empty() && self.compact == other.compact
    }

    /// Whether it says that it is a key, but not of what.
    pub(super) fn is_bare(&self) -> bool {
        ["id", "guid", "uuid", "key"].contains(&self.compact.as_str())
    }

    /// How well the name fits the words for a field, from 0 to 100; see [`NAMED`].
    pub(super) fn score(&self, words: &Words) -> u32 {
        if let Some(rank) = words.exact.split(' ').position(|exact| exact == self.compact) {
            return 100 - (rank as u32).min(45);
        }
        // Short words occur in many others: date in update, end in calendar.
        let has =
            |word: &str| self.parts.iter().any(|part| part == word) || (word.len() > 5 && self.compact.contains(word));
        let starts = |word: &str| has(word) || (word.len() > 3 && self.parts.iter().any(|part| part.starts_with(word)));
        let any =
            |words: &str, fits: &dyn Fn(&str) -> bool| words.split(' ').any(|word| !word.is_empty() && fits(word));
        match (any(words.base, &starts), any(words.bad, &has)) {
            (false, _) => 0,
            (true, true) => 10,
            (true, false) if any(words.good, &|word| has(word) || self.compact.ends_with(word)) => 50,
            (true, false) => 40,
        }
    }
}

/// A letter without its accent, as far as the languages of the lists have them.
fn plain(letter: char) -> char {
    match letter {
        'á' | 'à' | 'â' | 'ã' | 'ä' | 'å' => 'a',
        'é' | 'è' | 'ê' | 'ë' => 'e',
        'í' | 'ì' | 'î' | 'ï' => 'i',
        'ó' | 'ò' | 'ô' | 'õ' | 'ö' => 'o',
        'ú' | 'ù' | 'û' | 'ü' => 'u',
        'ñ' => 'n',
        'ç' => 'c',
        other => other,
    }
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
        assert_eq!(best(&["foto_url", "Foto-Nr.", "Aufgabe"], &SCENE), "Foto-Nr.");
        assert_eq!(best(&["Status", "Aufgabe", "Aufgabenstatus"], &TASK), "Aufgabe");
    }

    #[test]
    fn names_that_only_look_alike_are_strangers() {
        assert_eq!(Name::of("calendar_week").score(&END), 0);
        assert_eq!(Name::of("updated").score(&DATE), 0);
        assert!(Name::of("created_date").score(&DATE) < 30);
        assert!(Name::of("visit_status").score(&VISIT_ID) < 30);
        assert_eq!(Name::of("report").score(&EMAIL), 0);
        assert_eq!(Name::of("").score(&STORE), 0);
    }
}
