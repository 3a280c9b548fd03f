-- Asks Vestibule who is signed in before HAProxy passes a request on to an application.
--   lua-load /etc/haproxy/vestibule.lua
--   http-request lua.vestibule http://127.0.0.1:3000/forward-auth/haproxy/CLIENT_ID

local identity = {
    "remote-user", "remote-name", "remote-email", "remote-groups", "remote-company", "remote-assertion",
}

-- What belongs to the connection, and not to the question.
local own = { ["host"] = true, ["connection"] = true, ["content-length"] = true, ["transfer-encoding"] = true,
    ["upgrade"] = true, ["keep-alive"] = true, ["te"] = true, ["trailer"] = true, ["expect"] = true }

local function first(values)
    return values and (values[0] or values[1])
end

-- The cookie of this host that is Vestibule's is of no use to the application.
local function without_ours(cookies)
    local kept = {}
    for cookie in (cookies or ""):gmatch("[^;]+") do
        cookie = cookie:match("^%s*(.-)%s*$")
        local name = cookie:match("^[^=]*")
        if name ~= "__Host-vestibule" and name ~= "vestibule" then kept[#kept + 1] = cookie end
    end
    return #kept > 0 and table.concat(kept, "; ") or nil
end

local function check(txn, address)
    local headers = {}
    for name, values in pairs(txn.http:req_get_headers()) do
        if not own[name] then
            local list = {}
            for _, value in pairs(values) do list[#list + 1] = value end
            headers[name] = list
        end
    end
    headers["x-forwarded-proto"] = { txn.f:ssl_fc() == 1 and "https" or "http" }
    headers["x-forwarded-host"] = { txn.sf:req_fhdr("host") }
    headers["x-forwarded-uri"] = { txn.sf:pathq() }
    headers["x-forwarded-method"] = { txn.sf:method() }
    local answer = core.httpclient():get({ url = address, headers = headers, timeout = 5000 })
    if answer and answer.status == 200 then
        for _, name in ipairs(identity) do
            txn.http:req_set_header(name, first(answer.headers[name]) or "")
        end
        local cookies = without_ours(txn.sf:req_fhdr("cookie"))
        txn.http:req_del_header("cookie")
        if cookies then txn.http:req_set_header("cookie", cookies) end
        return
    end
    local reply = txn:reply()
    local status = answer and answer.status or 503
    -- Anything but an answer that Vestibule gives on purpose is a fault: nobody is let in.
    reply:set_status(status >= 300 and status or 503)
    local location = answer and first(answer.headers["location"])
    if location then reply:add_header("location", location) end
    reply:add_header("cache-control", "no-store")
    txn:done(reply)
end

core.register_action("vestibule", { "http-req" }, check, 1)
