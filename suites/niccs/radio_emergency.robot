*** Settings ***
Documentation       An officer in need, and colleagues from other forces: what the dispatchers see and touch.
Library             harness.keywords.ICCS


*** Test Cases ***
An Officer's Emergency Is Shown, Acknowledged And Cleared
    [Documentation]    The officer presses the emergency key. Both dispatchers of the talkgroup see who it is and where;
    ...    one acknowledges, which the other sees; with the end of the call the emergency is cleared.
    [Tags]    req:NICCS-RAD-007    req:NICCS-RAD-010
    Operator Sits At    govan-31    govan-32
    Officer Switches On    officer
    Officer Raises Emergency    officer    latitude=55.8622    longitude=-4.3096
    ${shown}    Console Shows    govan-31    emergency.shown    alias=GB 214    talkgroup=GD-OPS-1
    Console Shows    govan-32    emergency.shown    emergency=${shown}[emergency]
    Console Shows    govan-31    emergency.located    emergency=${shown}[emergency]
    Console Shows    govan-32    emergency.located    emergency=${shown}[emergency]
    Time Is Within Figure    officer emergency.pressed    govan-31 emergency.located    NICCS-RAD-007    shown_s
    Time Is Within Figure    officer emergency.pressed    govan-32 emergency.located    NICCS-RAD-007    shown_s
    Operator Acknowledges Emergency    govan-32    ${shown}[emergency]
    Console Shows    govan-31    emergency.acknowledged    acknowledged_by=govan-32
    Console Shows    govan-32    emergency.acknowledged    acknowledged_by=govan-32
    Time Is Within Figure    govan-32 console.acknowledge_emergency    govan-31 emergency.acknowledged    NICCS-RAD-010    shown_s
    Officer Lets Go    officer
    Console Shows    govan-31    emergency.cleared    within=10 s    emergency=${shown}[emergency]

An Interoperability Talkgroup Is In Use After Three Touches
    [Documentation]    Units of another force come to help: the dispatcher finds their talkgroup in the folders and talks on it.
    [Tags]    req:NICCS-RAD-023
    Operator Sits At    govan-31
    ${most}    Figure    NICCS-RAD-023    touches
    ${touches}    Operator Finds Talkgroup    govan-31    PS-MA-1    Mutual aid    Scotland
    Should Be True    ${touches} <= ${most}    an interoperability talkgroup takes ${touches} touches
    ${shown}    Console Shows    govan-31    talkgroup.chosen    talkgroup=PS-MA-1
    Should Be Equal As Integers    ${shown}[touches]    ${touches}    the ICCS counts otherwise
    Operator Keys    govan-31    PS-MA-1
    Operator Lets Go    govan-31
