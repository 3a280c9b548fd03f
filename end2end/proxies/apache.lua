-- Asks Vestibule who is signed in before Apache passes a request on to an application. Needs lua-socket.
--   SetEnvIf Request_URI ^ VESTIBULE=http://127.0.0.1:3000/forward-auth/apache/CLIENT_ID
--   LuaHookAccessChecker /etc/apache2/vestibule.lua check

local http = require "socket.http"
http.TIMEOUT = 5

local identity = { "Remote-User", "Remote-Name", "Remote-Email", "Remote-Groups", "Remote-Company", "Remote-Assertion" }
-- What a visitor may have sent and Vestibule has to see.
local asked = { "Accept", "Cookie", "X-Original-URL", "X-Original-Method" }

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

function check(r)
    if r.uri:sub(1, 12) == "/.vestibule/" then
        return apache2.DECLINED
    end
    local headers = {}
    for _, names in ipairs({ asked, identity }) do
        for _, name in ipairs(names) do
            headers[name] = r.headers_in[name]
        end
    end
    for _, name in ipairs(identity) do
        -- To many applications it is the same name.
        r.headers_in[name:gsub("-", "_")] = nil
    end
    headers["X-Forwarded-Proto"] = r.is_https and "https" or "http"
    headers["X-Forwarded-Host"] = r.headers_in["Host"]
    headers["X-Forwarded-Uri"] = r.unparsed_uri
    headers["X-Forwarded-Method"] = r.method
    local _, status, answer = http.request({
        url = r.subprocess_env["VESTIBULE"], headers = headers, redirect = false,
    })
    if status == 200 then
        for _, name in ipairs(identity) do
            r.headers_in[name] = answer[name:lower()] or ""
        end
        r.headers_in["Cookie"] = without_ours(r.headers_in["Cookie"])
        return apache2.OK
    end
    if type(status) ~= "number" or status < 300 then
        return 503
    end
    if answer["location"] then
        r.headers_out["Location"] = answer["location"]
    end
    return status
end
