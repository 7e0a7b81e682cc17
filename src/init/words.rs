//! The words for each field in English, German, Spanish, French, Portuguese, Italian, Dutch, Polish and Turkish, and
//! the names of SAP and Salesforce: without accents, case, and what stands between the parts of a name.
//!
//! A new language is a line in each list.

/// The words for a field, in lists with spaces between them.
#[derive(Debug)]
pub(super) struct Words {
    /// Whole names, a line for each language, the likeliest of it first.
    pub(super) exact: &'static [&'static str],
    /// Whole names that may mean something else as well.
    pub(super) weak: &'static str,
    /// Parts of a name that say it is this field.
    pub(super) base: &'static str,
    /// Parts that make it likelier.
    pub(super) good: &'static str,
    /// Parts that say it is something else.
    pub(super) bad: &'static str,
}

const IDENTIFIERS: &str = "id uid guid uuid key code cod codigo number num numero no nr nummer ref reference clave cle chave \
    schluessel schlussel codice numer kod kodu";

pub(super) const VISIT_ID: Words = Words {
    exact: &[
        "visitid visituid visitguid visituuid visitkey visitnumber visitno visitnr visitcode visitref visit sessionid \
         sessionuid callid auditid",
        "besuchsnummer besuchsnr besuchsid besuchid besuchnr besuch",
        "idvisita visitaid numerovisita codigovisita visita",
        "idvisite visiteid numerovisite nvisite visite",
        "idvisita visitaid codvisita",
        "codicevisita numerovisita",
        "bezoekid bezoeknummer bezoeknr bezoek",
        "idwizyty nrwizyty numerwizyty wizytaid wizyta",
        "ziyaretid ziyaretno ziyaretkodu ziyaretnumarasi ziyaret",
        "besnr bznr visitnum",
    ],
    weak: "id guid uuid key submissionid instanceid responseid formid",
    base: "visit besuch session visita visite bezoek wizyta wizyty ziyaret",
    good: IDENTIFIERS,
    bad: "type typ tipo art date datum fecha data time start end beginn ende status count scenes by name \
        duration notes client scene tipi tarihi planned actual",
};

pub(super) const STORE: Words = Words {
    exact: &[
        "storenumber storecode storeno storenr storeid store outletcode outletnumber outletid outlet shopcode shopnumber \
         shopid shop poscode posid pos locationcode locationid branchcode branchid branch sitecode siteid site \
         customercode customernumber customerid accountnumber accountid account placeid clientcode clientid clientnumber",
        "filialnummer filialnr filialid filiale marktnummer marktnr markt kundennummer kundennr",
        "idtienda codigotienda numerotienda tienda sucursal codigopdv idpdv pdv puntoventa puntodeventa codigocliente idcliente cliente",
        "codemagasin numeromagasin idmagasin magasin pointdevente codepdv codeclient",
        "codigoloja codloja idloja numeroloja loja pontodevenda",
        "codicenegozio idnegozio numeronegozio negozio codicepuntovendita puntovendita codicepdv codicecliente",
        "winkelnummer winkelnr winkelcode winkelid winkel filiaalnummer filiaal klantnummer",
        "kodsklepu nrsklepu numersklepu idsklepu sklep punktsprzedazy kodklienta",
        "magazakodu magazano magazaid magazanumarasi magaza bayikodu bayi noktakodu satisnoktasi musterikodu",
        "kunnr werks filnr",
    ],
    weak: "location werk nokta",
    base: "store outlet shop filial markt tienda sucursal magasin loja pdv branch kunden negozio winkel sklep sklepu magaza",
    good: IDENTIFIERS,
    bad: "name nombre nom nome address adresse direccion endereco city stadt ciudad ville cidade type typ tipo \
        chain banner region country manager email mail group gruppe phone zip lat lon zone time start end adi naam nazwa \
        latitude longitude status date owner parent created modified",
};

pub(super) const DATE: Words = Words {
    exact: &[
        "visitdate dateofvisit sessiondate date visitday day calldate auditdate",
        "besuchsdatum besuchstag datum tag",
        "fechavisita fechadevisita fecha dia",
        "datevisite datedevisite jour",
        "datavisita datadavisita datadevisita data",
        "datadivisita giorno",
        "bezoekdatum dag",
        "datawizyty dzien",
        "ziyarettarihi tarih gun",
        "budat begda datab",
    ],
    weak: "today",
    base: "visitdate datum fecha date data tarih tarihi",
    good: "visit visita visite besuch besuchs session bezoek wizyty ziyaret",
    bad: "created updated modified erstellt geandert creacion creation modification export end ende fin fim \
        birth upload sync inserted loaded start begin last next previous prev prior order due",
};

pub(super) const START: Words = Words {
    exact: &[
        "sessionstarttime sessionstart starttime startedat startat visitstart visitstarttime startdatetime starttimestamp \
         startts starts start started begin beginat begintime begunat checkin checkintime checkinat checkedinat arrival \
         arrivaltime arrivedat timein actualstart actualvisitstarttime visitedat visittime visittimestamp visitdatetime \
         dateandtime dateandtimeofvisit visitdateandtime visitdatetimestamp",
        "besuchsbeginn startzeit besuchsstart beginnzeit beginn anfang ankunft",
        "inicio horainicio horadeinicio fechainicio fechahorainicio iniciovisita entrada horaentrada llegada horallegada",
        "debut heuredebut heurededebut datedebut debutvisite heuredarrivee arrivee",
        "datainicio horadeinicio datahorainicio horainicio chegada horachegada datahora",
        "inizio orainizio datainizio oradiinizio dataorainizio iniziovisita arrivo",
        "begintijd starttijd aanvang aankomst aankomsttijd starttijdstip",
        "start poczatek rozpoczecie datarozpoczecia godzinarozpoczecia czasrozpoczecia",
        "baslangic baslangiczamani baslangicsaati baslama baslamasaati giris girissaati giriszamani",
        "beguz beginzeit begzt",
    ],
    weak: "timestamp datetime zeitpunkt horodatage fechahora time zeit uhrzeit hora heure ora tijd godzina czas saat zaman uzeit",
    base: "start begin checkin checkedin arriv inicio debut beginn ankunft entrada llegada chegada inizio aanvang \
        rozpoczecia baslangic baslama giris",
    good: "time at ts zeit hora heure timestamp datetime visit session fecha data ora tijd saati zamani",
    bad: "end ended ende zone timezone tz lat lon latitude longitude by status gps location user last next previous prev \
        prior order shift trip route tour valid",
};

pub(super) const END: Words = Words {
    exact: &[
        "sessionendtime sessionend endtime endedat endat visitend visitendtime enddatetime endtimestamp endts ends end \
         ended finish finishedat finishtime stop stoptime stoppedat checkout checkouttime checkoutat checkedoutat \
         departure departuretime leftat timeout closedat completedat actualend actualvisitendtime completed completedon \
         completiontime completiondate closed closedon finalized finalizedat",
        "besuchsende endzeit endezeit ende abfahrt abschluss abgeschlossen abgeschlossenam abschlusszeit abschlussdatum",
        "completado completada finalizado finalizada concluido concluida completato completata termine terminee cloture \
         voltooid voltooidop afgerond ukonczono zakonczono tamamlandi tamamlanma",
        "fin horafin horadefin fechafin fechahorafin finvisita salida horasalida",
        "fin heurefin heuredefin datefin finvisite depart",
        "fim horafim datafim horadefim datahorafim saida horasaida termino horatermino datatermino",
        "fine orafine datafine oradifine dataorafine finevisita uscita",
        "einde eindtijd vertrek vertrektijd eindtijdstip",
        "koniec zakonczenie datazakonczenia godzinazakonczenia czaszakonczenia",
        "bitis bitiszamani bitissaati cikis cikissaati cikiszamani",
        "enduz endda endzt",
    ],
    weak: "",
    base: "finish checkout checkedout departure salida saida ende end ended fin fim fine stop termino einde zakonczenia \
        bitis cikis",
    good: "time at ts zeit hora heure timestamp datetime visit session fecha data ora tijd saati zamani",
    bad: "start zone timezone tz lat lon latitude longitude by status calendar gps location user",
};

pub(super) const TYPE: Words = Words {
    exact: &[
        "visittypeid visittype visittypecode sessiontype calltype visitkind",
        "besuchsart besuchstyp besuchsartid",
        "tipovisita tipodevisita idtipovisita",
        "typevisite typedevisite idtypevisite",
        "tipodivisita bezoektype bezoeksoort typwizyty ziyarettipi ziyaretturu",
    ],
    weak: "typeid type typ art tipo tipi",
    base: "visittype besuchsart besuchstyp tipovisita tipodevisita typevisite typedevisite bezoektype typwizyty ziyarettipi",
    good: IDENTIFIERS,
    bad: "name nombre nom nome description",
};

pub(super) const EMAIL: Words = Words {
    exact: &[
        "emailaddress repemail useremail email agentemail mail rep user username agent merchandiser auditor login \
         submittedby visitorid owneremail smtpaddr",
        "mitarbeiter benutzer emailadresse mailadresse",
        "correo correoelectronico usuario promotor",
        "courriel adressemail utilisateur vendeur",
        "usuarioemail vendedor emailutilizador",
        "venditore agente promotore utente",
        "medewerker vertegenwoordiger emailadres",
        "przedstawiciel pracownik adresemail uzytkownik",
        "eposta epostaadresi kullanici personel temsilci",
    ],
    weak: "",
    base: "email mail correo courriel mitarbeiter user usuario rep eposta",
    good: "rep user agent mitarbeiter usuario utilisateur",
    bad: "store manager supervisor client customer filial tienda magasin loja boss negozio winkel sklep magaza",
};

pub(super) const CLIENT_UID: Words = Words {
    exact: &["clientsessionuid clientsessionid clientuid clientvisitid"],
    weak: "",
    base: "",
    good: "",
    bad: "",
};

pub(super) const ZONE: Words = Words {
    exact: &[
        "timezone tz timezoneid tzid tzname storetimezone localtimezone ianatimezone zeitzone zonahoraria husohorario huso \
         fuseauhoraire fuseau fusohorario fuso utcoffset offset tijdzone strefaczasowa saatdilimi",
    ],
    weak: "zone",
    base: "timezone zeitzone zonahoraria fuseau fusohorario utcoffset tz tijdzone",
    good: "",
    bad: "",
};

/// What a scene is called: a spot in the store, of which there may be several images.
pub(super) const SCENE: Words = Words {
    exact: &[
        "sceneid sceneuid sceneguid sceneuuid scenekey scenenumber sceneno scenenr scenecode sceneref scene photogroup \
         photogroupid photoset photosetid imagegroup imagegroupid imageset",
        "szenenid szenennummer szenennr szene aufnahmegruppe fotogruppe bildgruppe",
        "idescena escenaid escena grupofotos grupodefotos",
        "idscene numeroscene groupephotos groupedephotos",
        "idcena cenaid cena grupodefotos",
        "idscena scenaid scena gruppofoto",
        "sceneid fotogroep",
        "idsceny scena grupazdjec",
        "sahneid sahneno sahne fotografgrubu",
    ],
    weak: "",
    base: "scene szene szenen escena cena scena sahne photogroup imagegroup photoset fotogruppe bildgruppe",
    good: IDENTIFIERS,
    bad: "count type name label title description url path status time date visit task quality taken at",
};

/// What an image is called; where an export has no scenes, each of its images is one.
pub(super) const IMAGE: Words = Words {
    exact: &[
        "photoid photouid photoguid photonumber photono photo pictureid picture imageid imageuid image shotid captureid",
        "fotoid fotonummer fotonr foto bildid bildnummer bildnr bild aufnahme aufnahmeid",
        "idfoto idimagen foto imagen",
        "idphoto numerophoto",
        "idimagem imagem",
        "idimmagine immagine",
        "afbeeldingid afbeelding",
        "idzdjecia nrzdjecia zdjecie",
        "fotografid fotografno fotograf resimid resim",
    ],
    weak: "id guid uuid key",
    base: "photo picture image foto bild aufnahme imagen imagem immagine afbeelding zdjecie zdjecia fotograf resim",
    good: IDENTIFIERS,
    bad: "photos images count type name url path status time date visit task quality taken at file filename lat lon width height size",
};

pub(super) const TASK: Words = Words {
    exact: &[
        "taskcode taskid taskkey task taskname scenetype scenetypecode",
        "aufgabencode aufgabennummer aufgabe",
        "codigotarea tareacodigo idtarea tarea",
        "codetache tachecode idtache tache",
        "codigotarefa idtarefa tarefa",
        "codicecompito idcompito compito attivita",
        "taakcode taakid taak",
        "kodzadania idzadania zadanie",
        "gorevkodu gorevid gorev",
    ],
    weak: "category kategorie categoria categorie kategoria kategori",
    base: "task aufgabe tarea tache tarefa compito taak zadanie zadania gorev",
    good: IDENTIFIERS,
    bad: "status count time date start end at",
};

/// What a column is called that says how far a visit came.
pub(super) const STATUS: Words = Words {
    exact: &[
        "visitstatus status state visitstate outcome result sessionstatus callstatus",
        "besuchsstatus zustand",
        "estado estatus estadovisita",
        "statut etat statutvisite",
        "situacao estadodavisita",
        "stato statovisita bezoekstatus statuswizyty durum ziyaretdurumu",
    ],
    weak: "",
    base: "status statut estado stato durum cancelled canceled deleted void isdeleted iscancelled storniert geloescht geloscht",
    good: "",
    bad: "store code reason by date time at sync upload",
};

/// Parts of a name that say a time is what was planned.
pub(super) const PLANNED: &str = "planned plan scheduled schedule expected due target estimated planning geplant soll \
    plantermin planificado planificada programado programada previsto prevista planeado planifie prevu prevue planejado \
    agendado pianificato programmato gepland planowany planowana planowane planlanan plannedvisit";

/// Parts of a name that say a time is what happened.
pub(super) const ACTUAL: &str = "actual real effective ist tatsachlich tatsaechlich efectivo efectiva reel reelle \
    effectif realizado realizada effettivo effettiva reale werkelijk werkelijke rzeczywisty rzeczywista gercek gerceklesen";

/// Parts of a name that say a time is of the record and not of the visit.
pub(super) const BOOKKEEPING: &str = "created updated modified synced sync uploaded upload exported export inserted \
    loaded received imported approved deleted submitted submission erstellt geandert ubertragen creado creada modificado cree \
    modifie criado alterado creato modificato aangemaakt gewijzigd utworzono olusturma guncelleme erdat aedat systemmodstamp";

/// Values that say that a visit did not take place, or counts no more.
pub(super) const NOT_DONE: &str = "cancelled canceled cancel deleted removed void voided rejected skipped missed failed aborted \
    noshow notcompleted notvisited incomplete unfinished storniert abgesagt abgebrochen geloscht geloescht ausgefallen cancelada cancelado \
    anulada anulado annule annulee supprime supprimee annullata annullato geannuleerd verwijderd anulowana \
    anulowano anulowany odwolana iptal iptaledildi x d test draft";

/// Values that say that a visit is still to come, or under way.
pub(super) const TO_COME: &str = "planned scheduled pending open new assigned inprogress started todo geplant offen \
    planificada programada pendiente prevista planifie planifiee prevu aperta agendada pendente pianificata gepland planowana \
    zaplanowana planlandi planlanan beklemede";

/// Values that say that a visit took place.
pub(super) const DONE: &str = "completed complete done finished closed executed submitted success successful ok approved visited \
    abgeschlossen erledigt beendet durchgefuhrt durchgefuehrt completada completado finalizada finalizado realizada realizado \
    cerrada terminee termine effectuee effectue realisee concluida concluido completata completato conclusa afgerond \
    voltooid uitgevoerd zakonczona zakonczono zrealizowana tamamlandi tamamlanmis";
