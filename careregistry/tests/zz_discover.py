import collections
from careregistry.tests.matrix import *
COLS=COLUMNS
THINGS={"messaging:reply":["","closed"],"messaging:write":["","closed","note"],"tickets:attachment":["","note"],
"admin:accounts_user_change":["","administrator"],"admin:accounts_user_bin":["","administrator"],
"admin:accounts_application_changelist":["","approve"],"admin:tickets_ticket_changelist":["","assign"],
"admin:notifications_outgoingmail_changelist":["","send again"]}
for v in ("assign","move","classify","bin","restore","change"): THINGS["admin:tickets_ticket_"+v]=["","own"]
def test_d(world):
    out=open("/tmp/perm/found.txt","w")
    names=[c if c!="shut" else "suspended" for c in COLS]
    for route,entries in page_routes().items():
        for entry in entries[:1]:
            for thing in THINGS.get(route,[""]):
                seen=collections.OrderedDict()
                for m in METHODS:
                    cells=[]
                    for p in names:
                        with world.undone():
                            try:
                                r=world.send(p,route,entry,m,thing)
                                s=str(r.status_code)
                                if s=="302": s="L" if r["Location"].startswith("/account/login/") else ">"+r["Location"][:14] if m=="GET" else ">"
                                if m not in SAFE or 1:
                                    if snapshot()!=world.rows: s+="*"
                            except Exception as e: s="!"+type(e).__name__
                        cells.append(s)
                    seen.setdefault(tuple(cells),[]).append(m)
                for c,ms in seen.items(): print(route,"@"+thing,"/".join(ms),"|"," ".join(c),file=out,flush=True)
