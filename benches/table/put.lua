-- What wrk sends, again and again: a visit with eight scenes, as many bytes as the average of the exports.
local scene = '{"scene_uid":"5d10a2de-3c53-5ae5-bf0e-1c5f2a7d9b48","task_code":"31"}'

wrk.method = "PUT"
wrk.headers["Authorization"] = "Auth-Token of-no-use"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"client_session_uid":"V000000042","store_number":"100050000031006","visit_date":"2024-03-05",'
    .. '"session_start_time":1709625600,"visit_type_id":801,"session_end_time":1709629200,'
    .. '"email_address":"rep1356@example.com","scenes":[' .. string.rep(scene .. ",", 7) .. scene .. "]}"
